"""Choosing fonts that can draw the text: no silent squares where a letter should be."""

import unicodedata
import warnings

# Has a "glyph" for every character there is: a box with the name of its Unicode block.
_PLACEHOLDER_FONTS = ("last resort", "stixnonunicode")


def families_for(texts):
    """Return font families that together have every character of the texts, the user's own first.

    The families set in `matplotlib.rcParams["font.family"]` draw what they can. For characters they lack, the
    fonts of this machine are looked through, and those that have most of them are added; matplotlib then takes every
    character from the first family that has it.

    Args:
        texts: Iterable of strings.

    Returns:
        List of family names, for the `family` argument of any matplotlib text.

    Warns:
        UserWarning: If no font on the machine has some character; the message names the characters.
    """
    import matplotlib
    from matplotlib import font_manager

    families = list(matplotlib.rcParams["font.family"])
    missing = {c for text in texts for c in text if not _invisible(c)}
    for family in families:
        missing -= _covered(font_manager.findfont(font_manager.FontProperties(family=[family])), missing)
    if missing:
        missing = _add_families(families, missing, list(font_manager.fontManager.ttflist))
    if missing:  # Perhaps a font was installed after matplotlib listed them.
        missing = _add_families(families, missing, _newly_installed_fonts())
    if missing:
        shown = sorted(missing)
        named = ", ".join(f"{c!r} (U+{ord(c):04X})" for c in shown[:20]) + (", ..." if len(shown) > 20 else "")
        warnings.warn(
            f"No font on this machine has {len(shown)} of the characters to draw: {named}. Boxes will stand in their "
            "place. Install a font that has them; for Chinese, Japanese and Korean, Noto Sans CJK.",
            stacklevel=3,
        )
    return families


def _add_families(families, missing, entries):
    """Append to `families`, greedily, the fonts that have most of the missing characters; return what stays missing."""
    coverage = {}
    for entry in entries:
        upright = entry.style == "normal" and entry.weight in (400, "normal", "regular", "book")
        if upright and entry.name not in coverage and not entry.name.lower().startswith(_PLACEHOLDER_FONTS):
            coverage[entry.name] = _covered(entry.fname, missing)
    while missing and coverage:
        # Sans-serif faces go with the rest of the figure; the name makes the choice the same every time.
        best = min(coverage, key=lambda name: (-len(coverage[name] & missing), "sans" not in name.lower(), name))
        if not coverage[best] & missing:
            break
        families.append(best)
        missing = missing - coverage[best]
    return missing


def _newly_installed_fonts():
    from matplotlib import font_manager

    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    before = len(manager.ttflist)
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        try:
            manager.addfont(path)
        except Exception:  # FreeType's errors have no common class; a broken or bitmap-only file is skipped.
            continue
    return manager.ttflist[before:]


def _covered(path, characters):
    """Return those of the characters for which the font file has a glyph of its own."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
    except (OSError, RuntimeError, TypeError, ValueError):
        return set()
    return {c for c in characters if font.get_char_index(ord(c))}


def _invisible(character):
    """Spaces, control and format characters and variation selectors leave no square when a font lacks them."""
    return unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc", "Cf") or "\ufe00" <= character <= "\ufe0f"
