"""Reads the formats of feeds: RSS and Atom (`xml_items` on `xml_text`) and JSON Feed (`json_feed`)."""
