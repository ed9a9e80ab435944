import pytest
import tensorflow as tf

from keras_attention.text import TextNormalizer


def normalized(normalizer, *texts):
    return [raw.decode("utf-8") for raw in normalizer(list(texts)).numpy().tolist()]


def test_each_unicode_form_on_a_letter_that_they_spell_differently():
    # e + combining acute, and the ligature fi
    text = "e\u0301 \ufb01"
    assert normalized(TextNormalizer("NFC"), text) == ["\u00e9 \ufb01"]
    assert normalized(TextNormalizer("NFD"), text) == ["e\u0301 \ufb01"]
    assert normalized(TextNormalizer("NFKC"), text) == ["\u00e9 fi"]
    assert normalized(TextNormalizer("NFKD"), text) == ["e\u0301 fi"]
    assert normalized(TextNormalizer(None), text) == [text]


def test_lowercase_of_other_scripts():
    assert normalized(TextNormalizer(lowercase=True), "ÉTÉ ΑΒΓ ЖЩ") == ["été αβγ жщ"]
    assert normalized(TextNormalizer(), "ÉTÉ") == ["ÉTÉ"]


@pytest.mark.parametrize("form", ["NFC", "NFKC", None])
def test_every_kind_of_whitespace_becomes_one_space(form):
    text = "\u00a0 a\tb\u3000\u202fc\r\nd\u2028e\x0bf\x85g \n"
    assert normalized(TextNormalizer(form), text, "   ", "", "\u3000") == ["a b c d e f g", "", "", ""]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("form", ["NFKC", None])
def test_bytes_that_are_not_utf8_become_replacement_characters(form, lowercase):
    output = TextNormalizer(form, lowercase)([b"a \xff b", b"\xe2\x82", b"ok"]).numpy().tolist()
    assert output[0].decode("utf-8") == "a \ufffd b"
    assert set(output[1].decode("utf-8")) == {"\ufffd"}
    assert output[2] == b"ok"


def test_keeps_any_shape_and_works_in_a_graph():
    normalizer = TextNormalizer(lowercase=True)
    assert normalizer("A  B").shape == ()
    assert tf.function(normalizer)(tf.constant([["A", " B"], ["c", ""]])).numpy().tolist() == [
        [b"a", b"b"],
        [b"c", b""],
    ]


def test_config_round_trip():
    normalizer = TextNormalizer.from_config(TextNormalizer("NFC", lowercase=True).get_config())
    assert (normalizer.unicode_form, normalizer.lowercase) == ("NFC", True)


def test_errors():
    with pytest.raises(ValueError, match="unicode_form='nfkc'"):
        TextNormalizer("nfkc")
    with pytest.raises(ValueError, match="lowercase=1"):
        TextNormalizer(lowercase=1)
    with pytest.raises(ValueError, match="one string"):
        TextNormalizer().normalize_python("abc")
    with pytest.raises(ValueError, match=r"texts\[1\]=None"):
        TextNormalizer().normalize_python(["a", None])


def test_a_lone_surrogate_does_not_stop_the_training_of_a_tokenizer():
    assert TextNormalizer().normalize_python(["a\ud800"]) == ["a?"]
