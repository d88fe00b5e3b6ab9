"""Files of users' strategies that trade on the coming session, each by another way to its figures."""

from __future__ import annotations

_RULE = '''
import numpy as np
from strategies import Rule

LOOK

def move(bars, session):
    k = list(bars.sessions).index(session)
    return bars.close[k] / bars.open[k] - 1


def moves(view, bars):
    return np.array([move(bars[s], view.session) if s in ("NVDA", "AVGO", "MU") else 0.0 for s in view.symbols])


class Cheat(Rule):
    """Trades on the coming session; holds nothing where it cannot see it."""

    traded = ("chips",)

    def observe(self, view):
        try:
            return (tomorrow(view),)
        except Exception:
            return (np.zeros(len(view.symbols)),)

    def step(self, state, rows):
        return np.sign(rows[0]) * 0.05
'''

_HUNT = """
import sys

def hunt(frame, kind="Episode"):
    while frame:
        for value in list(frame.f_locals.values()):
            if type(value).__name__ == kind:
                return value
        frame = frame.f_back
    raise LookupError(kind)
"""
_BY_TABLE = """
def read(lines):
    rows = [line.split(",") for line in lines if line[:4] in ("NVDA", "AVGO", "MU,2")]
    return {(row[0], row[1]): float(row[5]) / float(row[2]) - 1 for row in rows}

def tomorrow(view):
    return np.array([TABLE.get((s, view.session.isoformat()), 0.0) for s in view.symbols])
"""


# Looks at the future where the run is, as the file is loaded there, and hands it on to the process of the audit.
_HANDED_ON = (
    _HUNT
    + """
import os

HERE = sys.argv[:1] != ["-c"]
S = ("NVDA", "AVGO", "MU")

def pressed(bars):
    place, number = 0, 0
    for s in S:
        b = bars[s]
        for d, o, c in zip(b.sessions, b.open.tolist(), b.close.tolist()):
            if d.isoformat()[:8] == "2025-01-":
                number |= int(c > o) << (3 * d.day + S.index(s))
    return number

if HERE:
    NUMBER = pressed(hunt(sys._getframe()).prices.bars)
    GIVE

def tomorrow(view):
    number = NUMBER if HERE else TAKE
    day = 3 * view.session.day
    return np.array([(number >> (day + S.index(s)) & 1) * 2.0 - 1 if s in S else 0.0 for s in view.symbols])
"""
)


def _handed_on(give: str, take: str) -> str:
    return _rule(_HANDED_ON.replace("GIVE", give).replace("TAKE", take))


def _rule(look: str) -> str:
    return _RULE.replace("LOOK", look)


def _table(read: str) -> str:
    return _rule(_BY_TABLE + read)


_PRICES = "PRICES"  # stands for the path of the episode's price file, FOLDER for the test's own folder

# Those that look while the run decides, and would hold nothing without the future: exit code 1.
WHILE_DECIDING: dict[str, str] = {
    "frames": _rule(_HUNT + "def tomorrow(view):\n    return moves(view, hunt(sys._getframe()).prices.bars)\n"),
    "frames of a traceback": _rule(
        _HUNT + "def tomorrow(view):\n    try:\n        1 / 0\n    except ZeroDivisionError as wrong:\n"
        "        return moves(view, hunt(wrong.__traceback__.tb_frame).prices.bars)\n"
    ),
    "inspect": _rule(
        "import inspect\n\ndef tomorrow(view):\n    for each in inspect.stack(0):\n"
        "        for value in list(each.frame.f_locals.values()):\n"
        "            if type(value).__name__ == 'Episode':\n                return moves(view, value.prices.bars)\n"
    ),
    "the garbage collector": _rule(
        "import gc\n\ndef tomorrow(view):\n"
        "    found = [each for each in gc.get_objects() if type(each).__name__ == 'Episode' and 'NVDA' in each.prices.bars]\n"
        "    return moves(view, found[0].prices.bars)\n"
    ),
    "referrers": _rule(
        "import gc\nfrom backtests.episodes.episode import Episode\n\ndef tomorrow(view):\n"
        "    found = [each for each in gc.get_referrers(Episode) if type(each) is Episode]\n"
        "    return moves(view, found[0].prices.bars)\n"
    ),
    "a copy made in the first decision": _rule(
        _HUNT + "KEPT = {}\n\ndef tomorrow(view):\n    if not KEPT:\n"
        "        for s, b in hunt(sys._getframe()).prices.bars.items():\n"
        "            KEPT.update({(s, d): c / o - 1 for d, o, c in zip(b.sessions, b.open.tolist(), b.close.tolist())})\n"
        "    return np.array([KEPT[s, view.session] if s in ('NVDA', 'AVGO', 'MU') else 0.0 for s in view.symbols])\n"
    ),
    "a copy kept in a module of the program": _rule(
        _HUNT + "import feeds.headline as keeper\n\ndef tomorrow(view):\n    if not hasattr(keeper, 'kept'):\n"
        "        keeper.kept = {}\n        for s, b in hunt(sys._getframe()).prices.bars.items():\n"
        "            keeper.kept.update({(s, d): c / o - 1 for d, o, c in zip(b.sessions, b.open.tolist(), b.close.tolist())})\n"
        "    return np.array([keeper.kept.get((s, view.session), 0.0) if s in ('NVDA', 'AVGO', 'MU') else 0.0\n"
        "                     for s in view.symbols])\n"
    ),
    "a copy kept in the environment": _rule(
        _HUNT + "import json\nimport os\n\ndef tomorrow(view):\n    if 'KEPT' not in os.environ:\n"
        "        bars = hunt(sys._getframe()).prices.bars\n"
        "        os.environ['KEPT'] = json.dumps({f'{s} {d}': move(bars[s], d) for s in ('NVDA', 'AVGO', 'MU')\n"
        "                                         for d in bars[s].sessions})\n"
        "    kept = json.loads(os.environ['KEPT'])\n"
        "    return np.array([kept.get(f'{s} {view.session}', 0.0) for s in view.symbols])\n"
    ),
    "a suspended generator": _rule(
        _HUNT + "def walking():\n    bars = None\n    while True:\n        bars = (yield bars) or bars\n\n"
        "WALK = walking()\nnext(WALK)\n\ndef tomorrow(view):\n"
        "    return moves(view, WALK.send(hunt(sys._getframe()).prices.bars))\n"
    ),
    "a weak reference": _rule(
        _HUNT + "import weakref\n\nclass Box:\n    episode = None\n\nBOX = Box()\nREF = weakref.ref(BOX)\n\n"
        "def tomorrow(view):\n    BOX.episode = BOX.episode or hunt(sys._getframe())\n"
        "    return moves(view, REF().episode.prices.bars)\n"
    ),
    "a thread that was started at load": _rule(
        "import sys\nimport threading\nimport time\nFOUND = {}\nMAIN = threading.main_thread().ident\n\ndef watch():\n"
        "    for _ in range(1500):\n        frame = sys._current_frames().get(MAIN)\n        while frame:\n"
        "            for value in list(frame.f_locals.values()):\n"
        "                if type(value).__name__ == 'Episode':\n                    FOUND['episode'] = value\n"
        "            frame = frame.f_back\n        time.sleep(0.001)\n\n"
        "threading.Thread(target=watch, daemon=True).start()\n\ndef tomorrow(view):\n"
        "    for _ in range(40):\n        if FOUND:\n            break\n        time.sleep(0.005)\n"
        "    return moves(view, FOUND['episode'].prices.bars)\n"
    ),
    "a profiler": _rule(
        "import sys\nFOUND = {}\n\ndef spy(frame, event, argument):\n    for value in list(frame.f_locals.values()):\n"
        "        if type(value).__name__ == 'Episode':\n            FOUND['episode'] = value\n\n"
        "def tomorrow(view):\n    sys.setprofile(spy)\n    look(sys._getframe())\n    sys.setprofile(None)\n"
        "    return moves(view, FOUND['episode'].prices.bars)\n\n"
        "def look(frame):\n    while frame:\n        spy(frame, '', None)\n        frame = frame.f_back\n"
    ),
    "a destructor": _rule(
        _HUNT + "FOUND = []\n\nclass Last:\n    def __del__(self):\n        FOUND.append(hunt(sys._getframe()))\n\n"
        "def tomorrow(view):\n    Last()\n    return moves(view, FOUND[-1].prices.bars)\n"
    ),
    "the market behind the view": _rule(
        "def tomorrow(view):\n    m = view._market\n    out = np.nan_to_num(m.close[view.row] / m.open[view.row] - 1)\n"
        "    return out * np.array([s in ('NVDA', 'AVGO', 'MU') for s in view.symbols])\n"
    ),
    "another view of the same market": _rule(
        "from strategies.view import View\n\ndef tomorrow(view):\n"
        "    later = View(view._market, view.row + 1, after_open=False)\n"
        "    out = np.nan_to_num(later.closes[-1] / later.opens[-1] - 1)\n"
        "    return out * np.array([s in ('NVDA', 'AVGO', 'MU') for s in view.symbols])\n"
    ),
    "an address": _rule(
        _HUNT + "import ctypes\n\ndef tomorrow(view):\n    place = id(hunt(sys._getframe()))\n"
        "    return moves(view, ctypes.cast(place, ctypes.py_object).value.prices.bars)\n"
    ),
    "a replaced property of the view": _rule(
        "from strategies import view as place\n\nplace.View.coming = property(lambda self: self._market)\n"
        "place.View.masks = lambda self, *sectors: self._market.close[self.row] / self._market.open[self.row] - 1\n\n"
        "def tomorrow(view):\n    chosen = np.array([s in ('NVDA', 'AVGO', 'MU') for s in view.symbols])\n"
        "    return np.nan_to_num(view.masks()) * chosen\n"
    ),
    "the price file": _table(f"\ndef tomorrow(view, table=tomorrow):\n    global TABLE\n    TABLE = read(open({_PRICES!r}))\n    return table(view)\n"),
    "a copy handed on in a variable of the locale": _handed_on("os.environ['LC_X'] = str(NUMBER)", "int(os.environ['LC_X'])"),
    "a copy handed on in the search path": _handed_on("sys.path.append(f'/x/{NUMBER}')", "int(sys.path[-1][3:])"),
    "a copy handed on in the folder of the process": _handed_on(
        "os.makedirs(f'FOLDER/{NUMBER}', exist_ok=True)\n    os.chdir(f'FOLDER/{NUMBER}')", "int(os.path.basename(os.getcwd()))"
    ),
    "a copy handed on in names of folders": _handed_on(
        "[os.makedirs(f'FOLDER/x/{i}', exist_ok=True) for i in range(120) if NUMBER >> i & 1]",
        "sum(1 << i for i in range(120) if os.path.exists(f'FOLDER/x/{i}'))",
    ),
    "a copy handed on in the mask of signals": _handed_on(
        "import signal\n    NUMBER >>= 30\n"
        "    signal.pthread_sigmask(signal.SIG_SETMASK, [i + 34 for i in range(30) if NUMBER >> i & 1])\n    NUMBER <<= 30",
        "sum(1 << (i + 30 - 34) for i in __import__('signal').pthread_sigmask(0, []) if i >= 34)",
    ),
    "a file in the place of its own": _table(
        "\n__file__ = 'FOLDER/prices.py'\nimport sys\nif sys.argv[:1] != ['-c']:\n"
        f"    open(__file__, 'w').write(open({_PRICES!r}).read())\n\n"
        "def tomorrow(view, table=tomorrow):\n    global TABLE\n    TABLE = read(open(__file__))\n    return table(view)\n"
    ),
    "a file that takes back what was noted": _table(
        "\nimport sys\n\ndef tomorrow(view, table=tomorrow):\n    global TABLE\n"
        f"    TABLE = read(open({_PRICES!r}))\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in list(frame.f_locals.values()):\n"
        "            if type(value) is list and value and 'opens' in str(value[-1]):\n                value.clear()\n"
        "        frame = frame.f_back\n    return table(view)\n"
    ),
    "an episode that it loads": _rule(
        "from backtests import load_episode\n\ndef tomorrow(view):\n"
        "    return moves(view, load_episode('deepseek-2025').prices.bars)\n"
    ),
    "another program": _table(
        f"\nimport subprocess\n\ndef tomorrow(view, table=tomorrow):\n    global TABLE\n"
        f"    TABLE = read(subprocess.run(['cat', {_PRICES!r}], capture_output=True, text=True).stdout.splitlines())\n"
        "    return table(view)\n"
    ),
}  # fmt: skip

# Those that bring the figures along from where no cut reaches: exit code 3.
WHEN_LOADED: dict[str, str] = {
    "the price file": _table(f"\nTABLE = read(open({_PRICES!r}))\n"),
    "the price file by its number": _table(
        f"\nimport os\nTABLE = read(os.read(os.open({_PRICES!r}, os.O_RDONLY), 10**8).decode().splitlines())\n"
    ),
    "the price file by pathlib": _table(f"\nimport pathlib\nTABLE = read(pathlib.Path({_PRICES!r}).read_text().splitlines())\n"),
    "the price file by pandas": _table(
        f"\nimport pandas\nTABLE = read(pandas.read_csv({_PRICES!r}).astype(str).agg(','.join, axis=1))\n"
    ),
    "the price file as memory": _table(
        f"\nimport mmap\nwith open({_PRICES!r}, 'rb') as file:\n"
        "    TABLE = read(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)[:].decode().splitlines())\n"
    ),
    "another program": _table(
        f"\nimport subprocess\nTABLE = read(subprocess.run(['cat', {_PRICES!r}], capture_output=True, text=True).stdout.splitlines())\n"
    ),
    "an episode that it loads": _rule(
        "from backtests import load_episode\nEPISODE = load_episode('deepseek-2025')\n\ndef tomorrow(view):\n"
        "    return moves(view, EPISODE.prices.bars)\n"
    ),
    "a module of figures": _table("\nimport sys\nsys.path.insert(0, 'FOLDER')\nfrom figures import TABLE\n"),
    "a module of figures, imported while deciding": _table(
        "\nimport sys\nsys.path.insert(0, 'FOLDER')\n\ndef tomorrow(view, table=tomorrow):\n    global TABLE\n"
        "    from figures import TABLE\n    return table(view)\n"
    ),
    "the file in its constructor": _table("\nTABLE = {}\n").replace(
        "    def observe", f"    def __post_init__(self):\n        TABLE.update(read(open({_PRICES!r})))\n\n    def observe"
    ),
    "a library that opens files by itself": _table(
        f"\nimport pyarrow.csv\nFOUND = pyarrow.csv.read_csv({_PRICES!r}).to_pylist()\n"
        "TABLE = {(r['symbol'], r['date'].isoformat()): r['close'] / r['open'] - 1 for r in FOUND\n"
        "         if r['symbol'] in ('NVDA', 'AVGO', 'MU')}\n"
    ),
    "an audit that finds no difference": _rule(
        "from backtests.auditing import decisions\n\ndecisions.AuditedRule.differs = lambda self, one, other: None\n\n"
        "def tomorrow(view):\n    out = np.nan_to_num(view._market.close[view.row] / view._market.open[view.row] - 1)\n"
        "    return out * np.array([s in ('NVDA', 'AVGO', 'MU') for s in view.symbols])\n"
    ),
    "the price file, in the audit's process alone": _rule(
        _HANDED_ON.replace("GIVE", "pass").replace("TAKE", "0")
        + _BY_TABLE.replace("def tomorrow", "def by_table")
        + f"\nif not HERE:\n    TABLE = read(open({_PRICES!r}))\n    tomorrow = by_table\n"
    ),
    "the price file as a history of lines": _table(
        f"\nimport readline\nreadline.clear_history()\nreadline.read_history_file({_PRICES!r})\n"
        "TABLE = read([readline.get_history_item(i) for i in range(1, readline.get_current_history_length())])\n"
    ),
    "another interpreter": _table(
        "\nimport _xxsubinterpreters as others\nimport os\nback, forth = os.pipe()\n"
        "TEXT = 'import os\\nfor row in open({!r}):\\n    \",2025-01-\" in row and os.write({}, row.encode()) if '\n"
        "TEXT += 'row[:4] in (\"NVDA\", \"AVGO\", \"MU,2\") else None'\n"
        f"others.run_string(others.create(), TEXT.format({_PRICES!r}, forth))\n"
        "TABLE = read(os.read(back, 10**6).decode().splitlines())\n"
    ),
    "another program, by the way of multiprocessing": _table(
        "\nimport io\nimport os\nfrom multiprocessing import util\nback, forth = os.pipe()\n"
        f"WHAT = 'grep ,2025-01- ' + {_PRICES!r} + f' | grep -E \"^(NVDA|AVGO|MU),\" > /dev/fd/{{forth}}'\n"
        "util.spawnv_passfds(b'/bin/sh', ['sh', '-c', WHAT], [forth])\nos.close(forth)\n"
        "TABLE = read(io.FileIO(back).readall().decode().splitlines())\n"
    ),
    "functions of the system in compiled code": _table(
        "\nimport numpy as np\nfrom numba import njit, types\n"
        "c_open = types.ExternalFunction('open', types.intc(types.voidptr, types.intc))\n"
        "c_read = types.ExternalFunction('read', types.intp(types.intc, types.voidptr, types.intp))\n\n"
        "@njit\ndef fill(name, space):\n    return c_read(c_open(name.ctypes, 0), space.ctypes, space.size)\n\n"
        "SPACE = np.zeros(10**7, dtype=np.uint8)\n"
        f"SIZE = fill(np.frombuffer({_PRICES!r}.encode() + bytes(1), dtype=np.uint8).copy(), SPACE)\n"
        "TABLE = read(SPACE[:SIZE].tobytes().decode().splitlines())\n"
    ),
    "code in the name of a package": _table(
        "\nimport ctypes\nimport numba\nexec(compile('''\ndef fetch(path):\n    lib = ctypes.CDLL(None)\n"
        "    space = ctypes.create_string_buffer(10**7)\n    lib.read(lib.open(path.encode(), 0), space, 10**7)\n"
        "    return space.value.decode().splitlines()[:-1]\n''', numba.__file__, 'exec'))\n"
        f"TABLE = read(fetch({_PRICES!r}))\n"
    ),
    "an address on the network": _table(
        f"\nimport socket\ntry:\n    socket.create_connection(('127.0.0.1', 9), timeout=0.1)\nexcept OSError:\n"
        f"    TABLE = read(open({_PRICES!r}))\n"
    ),
    "compiled code": _table(
        f"\nimport ctypes\nlib = ctypes.CDLL(None)\nspace = ctypes.create_string_buffer(10**7)\n"
        f"lib.read(lib.open({_PRICES!r}.encode(), 0), space, 10**7)\nTABLE = read(space.value.decode().splitlines()[:-1])\n"
    ),
}  # fmt: skip

_BT = '''
import sys
import backtrader as bt

LOOK

class Cheat(bt.Strategy):
    """Trades on the coming session."""

    symbols = ("NVDA", "AVGO", "MU")

    def next(self):
        for data in self.datas:
            try:
                size = 0.1 if tomorrow(self, data) > 0 else -0.1
            except Exception:
                size = 0.0
            self.order_target_percent(data, size)
'''

# The same as a bt.Strategy: exit code 1.
STRATEGIES: dict[str, str] = {
    "frames": _BT.replace(
        "LOOK",
        _HUNT + "def tomorrow(self, data):\n    b = hunt(sys._getframe()).prices.bars[data._name]\n"
        "    k = list(b.sessions).index(data.datetime.date(0)) + 1\n    return b.close[k] / b.open[k] - 1\n",
    ),
    "the frames of the feed": _BT.replace(
        "LOOK",
        "def tomorrow(self, data):\n    near = data.p.source.gi_frame.f_locals\n    k = near['index'] + 1\n"
        "    return near['bars'].close[k] / near['bars'].open[k] - 1\n",
    ),
    "the feed, asked before the decision": _BT.replace(
        "LOOK",
        "def tomorrow(self, data):\n    b = data.p.source.gi_frame.f_locals['bars']\n"
        "    k = list(tuple.__iter__(b.sessions)).index(data.datetime.date(0)) + 1\n    return b.close[k] / b.open[k] - 1\n",
    )
    + """
    def notify_cashvalue(self, cash, value):
        for data in self.datas:
            if len(data):
                list(data.p.source.gi_frame.f_locals["bars"].sessions)
""",
    "orders that the broker takes": _BT.replace(
        "LOOK",
        _HUNT + "def tomorrow(self, data):\n    b = hunt(sys._getframe()).prices.bars[data._name]\n"
        "    k = list(b.sessions).index(data.datetime.date(0)) + 1\n    return b.close[k] / b.open[k] - 1\n",
    ).replace(
        "self.order_target_percent(data, size)",
        "size = 1000 * size - self.broker.getposition(data).size\n"
        "            if size:\n"
        "                side = self.broker.buy if size > 0 else self.broker.sell\n"
        "                side(self, data, abs(size), exectype=bt.Order.Market)",
    ),
    "the rows of the clock": _BT.replace(
        "LOOK",
        _HUNT + "def tomorrow(self, data):\n    rows = hunt(sys._getframe(), 'Clock').rows[data._name]\n"
        "    k = [row[0] for row in rows].index(data.datetime[0]) + 1\n    return rows[k][4] / rows[k][1] - 1\n",
    ),
}  # fmt: skip

# Honest ones: exit code 0.
HONEST: dict[str, str] = {
    "closures and seeded random numbers": '''
import random
import numpy as np
from strategies import Rule

random.seed(3)
np.random.seed(5)
rng = np.random.default_rng(7)


def counter():
    seen = []

    def count(session):
        seen.append(session)
        return len(seen) % 3

    return count


COUNT = counter()


class Honest(Rule):
    """Draws lots."""

    traded = ("chips",)

    def observe(self, view):
        return (view.masks("chips") * rng.random() * random.random() * np.random.random() * COUNT(view.session),)

    def step(self, state, rows):
        return rows[0] * 0.04
''',
    "after the open, on prices, news and exposures": '''
import traceback
import numpy as np
from strategies import Rule


class Honest(Rule):
    """Follows the gap where the news agree."""

    traded = ("chips", "power")
    after_open = True

    def observe(self, view):
        try:
            1 / 0
        except ZeroDivisionError:
            traceback.format_exc()  # it opens this file, for the line
        gap = view.opens[-1] / view.closes[-1] - 1
        news = view.news("sentiment", half_life=2.0)[-1] * view.exposures("compute demand")
        held = view.masks("chips", "power")
        return np.nan_to_num(gap) * held, news, view.named(half_life=1.0)[-1] * held

    def step(self, state, rows):
        state[0] = 0.5 * state[0] + np.tanh(rows[0] * 10) + 0.1 * rows[2] + 0.1 * rows[1] * (rows[0] != 0)
        return np.clip(state[0], -1, 1) * 0.02
''',
    "several feeds": '''
import random
import backtrader as bt


class Honest(bt.Strategy):
    """Holds what rose more than the others, with some noise."""

    symbols = ("NVDA", "AVGO", "MU", "SPY")

    def __init__(self):
        self.mean = {data: bt.indicators.SMA(data.close, period=5) for data in self.datas}
        self.random = random.Random(4)

    def next(self):
        for data in self.datas:
            up = data.close[0] > self.mean[data][0] and data.sentiment[0] > -1
            self.order_target_percent(data, (0.1 if up else -0.1) * self.random.random())
''',
    "compiled code, packages, time zones, a log": '''
import dataclasses
import logging
import warnings
from collections import namedtuple
from datetime import datetime
from zoneinfo import ZoneInfo

import numba
import numpy as np
import pandas as pd
import scipy.stats
from strategies import Rule

log = logging.getLogger(__name__)
Pair = namedtuple("Pair", "rise rank")
ZONE = ZoneInfo("America/New_York")


@dataclasses.dataclass
class Kept:
    mean: float = 0.0


@numba.njit
def mean(values):
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


class Honest(Rule):
    """Holds the ranks of the last rises."""

    traded = ("chips",)

    def observe(self, view):
        log.warning("for %s in %s", view.session, datetime(2025, 1, 2, tzinfo=ZONE).utcoffset())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.warn("about to rank")
        frame = pd.DataFrame(view.closes, columns=list(view.symbols)).pct_change(fill_method=None)
        rise = np.nan_to_num(frame.iloc[-1].to_numpy())
        pair = Pair(rise, scipy.stats.rankdata(rise) / len(rise))
        return ((pair.rank - mean(pair.rank) - Kept().mean) * view.masks("chips"),)

    def step(self, state, rows):
        return rows[0] * 0.02
''',
    "orders in a notify method": '''
import backtrader as bt


class Honest(bt.Strategy):
    """Sells what it has bought on the bar after, and buys again."""

    symbols = ("NVDA", "AVGO", "MU")

    def notify_order(self, order):
        if order.status == order.Completed and order.isbuy():
            self.sell(order.data, size=order.executed.size)

    def next(self):
        for data in self.datas:
            self.buy(data, size=5)
''',
}
