import itertools
import re
from html.parser import HTMLParser

import numpy
import pytest

from keras_attention.plotting.pooling import plot_pooling, pooling_html

QUESTION = (["is", "it", "safe", "?"], [0.1, 0.2, 0.6, 0.1])
ANSWER = (["no", ",", "<b>not</b>", "$5$", "&"], [0.2, 0.1, 0.4, 0.2, 0.1])


def darkness(colour):
    return 1 - numpy.mean(colour[:3])


def words_of(figure):
    return {text.get_text(): text for text in figure.texts if text.get_bbox_patch() is not None}


def test_darker_is_more_weight_on_each_side():
    drawn = words_of(plot_pooling(*QUESTION, *ANSWER))
    for words, weights in (QUESTION, ANSWER):
        shades = [darkness(drawn[word].get_bbox_patch().get_facecolor()) for word in words]
        for (a, shade_a), (b, shade_b) in zip(zip(weights, shades), zip(weights[1:], shades[1:])):
            assert numpy.sign(a - b) == numpy.sign(shade_a - shade_b)
        assert shades[int(numpy.argmax(weights))] > 0.7
        assert min(shades) < 0.05
    assert drawn["safe"].get_color() == "white"
    assert drawn["is"].get_color() == "black"


def test_equal_weights_stay_light():
    drawn = words_of(plot_pooling(["a", "b"], [0.5, 0.5], ["c"], [1.0]))
    assert all(darkness(text.get_bbox_patch().get_facecolor()) < 0.05 for text in drawn.values())


def test_long_answers_are_broken_into_lines_inside_the_figure(tmp_path):
    words = [f"word{i}" for i in range(120)]
    figure = plot_pooling(*QUESTION, words, numpy.full(120, 1 / 120), title="A title", width=5.0)
    drawn = words_of(figure)
    renderer = figure.canvas.get_renderer()
    rows = set()
    boxes = []
    for word in words:
        box = drawn[word].get_window_extent(renderer)
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height
        rows.add(round(drawn[word].get_position()[1], 6))
        boxes.append(box)
    assert len(rows) > 5
    assert not any(a.overlaps(b) for a, b in itertools.pairwise(boxes))
    figure.savefig(tmp_path / "pooling.png")


def test_pieces_become_words_and_their_weights_add_up():
    pieces, weights = ["\u2581co", "pay", "\u2581plan"], [0.25, 0.35, 0.4]
    text = pooling_html(pieces, weights, ["\u2581yes"], [1.0])
    assert re.search(r'title="0\.6000">copay<', text)
    assert "\u2581" not in text
    assert 'title="0.3500">pay<' in pooling_html(pieces, weights, ["yes"], [1.0], merge=False)


def test_html_is_escaped_and_balanced():
    text = pooling_html(['"quoted"', "<script>alert(1)</script>"], [0.5, 0.5], *ANSWER, title="<i>AP & co</i>")
    assert "<script" not in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert "&lt;b&gt;not&lt;/b&gt;" in text

    class Walker(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.data = [], []

        def handle_starttag(self, tag, attributes):
            if tag != "br":
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            self.data.append(data.strip())

    walker = Walker()
    walker.feed(text)
    assert not walker.open
    assert [d for d in walker.data if d][4:] == ["Answer", *ANSWER[0]]


def test_html_colours_rise_with_the_weights():
    grounds = re.findall(r"background:#(\w{6})", pooling_html(*QUESTION, *ANSWER))
    shades = [darkness([int(ground[i : i + 2], 16) / 255 for i in (0, 2, 4)]) for ground in grounds]
    assert numpy.argsort(shades[:4], kind="stable").tolist() == [0, 3, 1, 2]
    assert int(numpy.argmax(shades[4:])) == 2


@pytest.mark.parametrize("draw", [plot_pooling, pooling_html])
def test_errors_and_empty_sides(draw):
    draw([], [], *ANSWER)
    with pytest.raises(ValueError, match="2 tokens, weights of shape"):
        draw(["a", "b"], [1.0], *ANSWER)
    with pytest.raises(ValueError, match="answer_weights must lie between 0 and 1"):
        draw(*QUESTION, ["a"], [1.7])
    with pytest.raises(ValueError, match="question must be a list of strings"):
        draw([1], [1.0], *ANSWER)
