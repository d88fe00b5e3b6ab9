"use strict";
(function () {
  var data = document.getElementById("headlines");
  var facts = data ? JSON.parse(data.textContent) : [];
  var tip = document.getElementById("tip");

  function line(kind, words, lang) {
    var element = document.createElement(kind);
    element.textContent = words;
    if (lang) { element.lang = lang; element.dir = "auto"; }
    return element;
  }
  function show(point) {
    var fact = facts[Number(point.dataset.i)];
    if (!fact || !tip) { return; }
    tip.replaceChildren(line("strong", fact.title, fact.lang), line("span", fact.meta), line("span", fact.score),
      line("span", "words: " + fact.words), line("span", fact.session));
    tip.hidden = false;
    var box = point.getBoundingClientRect();
    var left = Math.min(Math.max(12, box.left - 40), document.documentElement.clientWidth - tip.offsetWidth - 12);
    var above = box.top - tip.offsetHeight - 10;
    tip.style.left = (left + window.scrollX) + "px";
    tip.style.top = ((above > 8 ? above : box.bottom + 10) + window.scrollY) + "px";
  }
  function hide() { if (tip) { tip.hidden = true; } }

  document.querySelectorAll("svg.timeline").forEach(function (chart) {
    var points = Array.prototype.slice.call(chart.querySelectorAll(".pt"));
    var touched = null;
    points.forEach(function (point, index) { point.setAttribute("tabindex", index === 0 ? "0" : "-1"); });
    chart.addEventListener("pointerover", function (event) {
      var point = event.target.closest(".pt");
      if (point) { show(point); }
    });
    chart.addEventListener("pointerout", function (event) { if (event.pointerType !== "touch") { hide(); } });
    chart.addEventListener("focusin", function (event) {
      var point = event.target.closest(".pt");
      if (point) { show(point); }
    });
    chart.addEventListener("focusout", hide);
    chart.addEventListener("pointerdown", function (event) {
      touched = event.pointerType === "touch" ? event.target.closest(".pt") : null;
    });
    chart.addEventListener("click", function (event) {
      var point = event.target.closest(".pt");
      // a finger's first tap shows the headline, the second opens it
      if (point && touched === point && !point.classList.contains("on")) {
        event.preventDefault();
        points.forEach(function (each) { each.classList.toggle("on", each === point); });
        show(point);
      }
    });
    chart.addEventListener("keydown", function (event) {
      var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      var at = points.indexOf(document.activeElement);
      if (event.key === "Escape") { hide(); return; }
      if (at < 0) { return; }
      var next = event.key === "Home" ? 0 : event.key === "End" ? points.length - 1 : step ? at + step : -1;
      if (next >= 0 && next < points.length) {
        event.preventDefault();
        points[at].setAttribute("tabindex", "-1");
        points[next].setAttribute("tabindex", "0");
        points[next].focus();
      }
    });
  });

  var choice = document.getElementById("symbol");
  if (choice) {
    choice.addEventListener("change", function () {
      document.querySelectorAll("g.price").forEach(function (group) {
        group.classList.toggle("off", group.dataset.symbol !== choice.value);
      });
    });
  }
  document.documentElement.dataset.ready = "yes";
}());
