import pytest

from keras_attention.data import load_tatoeba


def test_both_directions_are_the_same_pairs():
    english = load_tatoeba("validation")
    french = load_tatoeba("validation", source="fr", target="en")
    assert (english.sources, english.targets) == (french.targets, french.sources)
    # Far more English than French sentences hold the word "the".
    assert sum(" the " in s for s in english.sources) > 50 > sum(" the " in s for s in english.targets)


def test_errors():
    with pytest.raises(ValueError, match="split='dev'"):
        load_tatoeba("dev")
    with pytest.raises(ValueError, match="source='de'"):
        load_tatoeba("test", source="de", target="fr")
    with pytest.raises(ValueError, match="target='en'"):
        load_tatoeba("test", source="en", target="en")
