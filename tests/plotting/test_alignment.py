import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest

from keras_attention.plotting import merge_pieces, plot_alignment


def labels(figure):
    axes = figure.axes[0]
    return [t.get_text() for t in axes.get_xticklabels()], [t.get_text() for t in axes.get_yticklabels()]


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


def test_words_stand_in_order_and_the_data_is_the_matrix():
    weights = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
    figure = plot_alignment(weights, ["the", "red", "house"], ["maison", "rouge"])
    assert labels(figure) == (["the", "red", "house"], ["maison", "rouge"])
    (image,) = figure.axes[0].get_images()
    np.testing.assert_array_equal(image.get_array(), weights)
    assert image.get_clim() == (0, 1)
    tick = figure.axes[0].xaxis.get_major_ticks()[0]
    assert tick.label2.get_visible()
    assert not tick.label1.get_visible()


def test_pixels_run_from_black_to_white_with_the_first_target_word_on_top():
    weights = np.array([[0.0, 1.0], [0.5, 0.25]])
    figure = plot_alignment(weights, ["a", "b"], ["c", "d"])
    picture = pixels(figure)
    axes = figure.axes[0]
    for row in range(2):
        for column in range(2):
            x, y = axes.transData.transform((column, row))
            pixel = picture[round(picture.shape[0] - y), round(x), :3]
            np.testing.assert_allclose(pixel, 255 * weights[row, column], atol=2)


def test_the_scale_does_not_depend_on_the_data():
    pale = plot_alignment([[0.5, 0.5]], ["a", "b"], ["c"])
    assert pale.axes[0].get_images()[0].get_clim() == (0, 1)


def test_merged_source_pieces_are_summed_and_target_rows_averaged():
    weights = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.3, 0.1, 0.1], [0.0, 0.0, 1.0, 0.0]])
    merged, source, target = merge_pieces(weights, ["▁gr", "een", "▁tea", "</s>"], ["▁th", "é", "</s>"])
    assert source == ["green", "tea", "</s>"]
    assert target == ["thé", "</s>"]
    np.testing.assert_allclose(merged, [[(0.3 + 0.8) / 2, (0.3 + 0.1) / 2, (0.4 + 0.1) / 2], [0, 1, 0]])
    np.testing.assert_allclose(merged.sum(1), 1)
    figure = plot_alignment(weights, ["▁gr", "een", "▁tea", "</s>"], ["▁th", "é", "</s>"])
    np.testing.assert_allclose(figure.axes[0].get_images()[0].get_array(), merged)


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["plain", "words", "stay"], ["plain", "words", "stay"]),
        (["▁a", "▁b", "▁c"], ["a", "b", "c"]),
        (["no", "▁mark", "▁fir", "st"], ["no", "mark", "first"]),
        (["▁", "alone", "▁x"], ["alone", "x"]),
        (["▁", "猫", "が好き", "です", "。"], ["猫", "が好き", "です", "。"]),
        (["▁ko", "기", "▁b", "c"], ["ko기", "bc"]),
        (["▁caf", "<0xC3>", "<0xA9>", "</s>", "<pad>"], ["café", "</s>", "<pad>"]),
        (["<s>", "▁a", "b"], ["<s>", "ab"]),
        (["<s>", "a", "▁b"], ["<s>", "a", "b"]),
        (["▁a", "<unk>", "b"], ["a<unk>b"]),
    ],
)
def test_words_from_pieces(pieces, words):
    _, source, target = merge_pieces(np.full((len(pieces), len(pieces)), 1 / len(pieces)), pieces, pieces)
    assert source == target == words


def test_merging_can_be_turned_off():
    figure = plot_alignment([[0.5, 0.5]], ["▁a", "b"], ["▁c"], merge=False)
    assert labels(figure) == (["▁a", "b"], ["▁c"])


def test_dollars_breaks_and_empty_words_do_no_harm():
    figure = plot_alignment(np.eye(3), ["$5_x$", "a\nb\tc", ""], ["\\frac", "x^2$", "$"])
    assert labels(figure) == (["$5_x$", "a b c", ""], ["\\frac", "x^2$", "$"])
    assert pixels(figure).any()


def test_labels_and_title_lie_inside_the_picture():
    figure = plot_alignment(
        np.full((2, 3), 1 / 3), ["extraordinarily", "i", "WWWWWWWW"], ["a", "Donaudampfschiff"], title="A long " * 8
    )
    width, height = figure.get_size_inches() * figure.dpi
    texts = [*figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels(), *figure.texts]
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_a_very_long_sentence_stays_a_picture():
    figure = plot_alignment(np.full((2, 600), 1 / 600), ["w"] * 600, ["a", "b"])
    assert max(figure.get_size_inches()) < 40


def test_the_scale_of_greys():
    figure = plot_alignment(np.eye(2), ["a", "b"], ["c", "d"], colorbar=True)
    assert len(figure.axes) == 2
    assert pixels(figure).any()


def test_a_character_without_a_glyph_gives_one_warning_that_names_it():
    with pytest.warns(UserWarning, match=r"1 of the characters.*U\+E0F1") as caught:
        plot_alignment(np.eye(2), ["caf\ue0f1", "x"], ["é\ue0f1", "y"])
    assert len(caught) == 1


def test_accents_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plot_alignment(np.eye(2), ["déjà", "naïve"], ["Größe", "žluťoučký"])
        pixels(figure)


def write_font(path, family, characters):
    """A TrueType font in which every one of the characters is a triangle."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for i, point in enumerate([(0, 0), (900, 0), (450, 900)]):
        (pen.lineTo if i else pen.moveTo)(point)
    pen.closePath()
    glyph = pen.glyph()
    names = [".notdef", *(f"uni{ord(c):04X}" for c in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): f"uni{ord(c):04X}" for c in characters})
    builder.setupGlyf(dict.fromkeys(names, glyph))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=900, usWeightClass=400)
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def font_manager(monkeypatch):
    from matplotlib import font_manager

    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    return font_manager


def test_a_font_of_the_machine_that_has_the_characters_is_taken(tmp_path, font_manager, monkeypatch):
    """One font is known to matplotlib, the other was installed after it listed them."""
    write_font(tmp_path / "known.ttf", "Known Sans", "\ue0f1\ue0f2")
    write_font(tmp_path / "later.ttf", "Later Sans", "\ue0f2\ue0f3")
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    font_manager.fontManager.addfont(tmp_path / "known.ttf")
    new = [str(tmp_path / "later.ttf"), str(tmp_path / "broken.ttf")]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: new)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plot_alignment(np.eye(3), ["\ue0f1", "\ue0f2", "\ue0f3"], ["a", "b", "c"])
        pixels(figure)
    family = figure.axes[0].get_xticklabels()[0].get_fontfamily()
    assert family == [*matplotlib.rcParams["font.family"], "Known Sans", "Later Sans"]


def test_short_chinese_words_stand_upright(recwarn):
    figure = plot_alignment(np.eye(3), ["我", "喜欢", "abc"], ["a", "b", "c"])
    assert [t.get_rotation() for t in figure.axes[0].get_xticklabels()] == [0, 0, 90]


@pytest.mark.parametrize(
    ("weights", "source", "message"),
    [
        (np.eye(2), ["a"], r"shape \(2, 2\), 2 target pieces and 1 source"),
        (np.zeros((2, 0)), [], "0 source pieces"),
        (np.zeros((1, 2, 2)), ["a", "b"], r"shape \(1, 2, 2\)"),
        (np.eye(2) * 3, ["a", "b"], r"from 0\.0 to 3\.0"),
        (np.eye(2) * np.nan, ["a", "b"], "nan"),
        (np.eye(2), "ab", "source='ab'"),
        (np.eye(2), [b"a", b"b"], r"source=\[b'a'"),
    ],
)
@pytest.mark.parametrize("function", [plot_alignment, merge_pieces])
def test_errors(function, weights, source, message):
    with pytest.raises(ValueError, match=message):
        function(weights, source, ["c", "d"])


def test_pyplot_is_left_alone():
    code = (
        "import sys; from keras_attention.plotting import *\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plot_alignment([[1.0]], ['a'], ['b']); plot_bleu_by_length({'m': ([1, 2], [3, 4])})\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
