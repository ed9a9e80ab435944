"""The page in a real browser without a screen."""

import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium comes with the extra 'test'")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (BROWSER and DRIVER),
    reason="no chromium and chromedriver on the PATH: apt-get install chromium chromium-driver",
)
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

PATIENT = 120
ATTACK = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=900,1000",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_page_load_timeout(PATIENT)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, server):
    """The page, loaded anew; after the test, nothing was loaded from elsewhere and no script has failed."""
    browser.get(server.rest_address + "/")
    WebDriverWait(browser, PATIENT).until(lambda b: len(Select(b.find_element(By.ID, "model")).options) == 3)
    yield browser
    resources = browser.execute_script("return performance.getEntriesByType('resource').map((r) => r.name)")
    assert resources
    assert all(name.startswith(server.rest_address) for name in resources)
    assert not [entry for entry in browser.get_log("browser") if "400 (Bad Request)" not in entry["message"]]


def choose(page, name):
    select = Select(page.find_element(By.ID, "model"))
    select.select_by_visible_text(next(o.text for o in select.options if o.text.startswith(name)))


def type_and_go(page, text):
    field = page.find_element(By.ID, "text")
    field.clear()
    field.send_keys(text)
    page.find_element(By.ID, "go").click()
    WebDriverWait(page, PATIENT).until(lambda b: b.find_element(By.ID, "status").text not in ("", "..."))
    return page.find_element(By.ID, "result")


def test_a_translation_with_its_alignment(page):
    choose(page, "translator")
    result = type_and_go(page, "ab cd efg")
    assert result.find_element(By.CLASS_NAME, "translation").text == "gfe dc ba"
    table = result.find_element(By.CSS_SELECTOR, "table.alignment")
    columns = [cell.get_attribute("textContent") for cell in table.find_elements(By.CSS_SELECTOR, "thead th")]
    rows = [cell.get_attribute("textContent") for cell in table.find_elements(By.CSS_SELECTOR, "tbody th")]
    assert (columns, rows) == (["ab", "cd", "efg"], ["ba", "dc", "gfe"])
    greys = [cell.value_of_css_property("background-color") for cell in table.find_elements(By.TAG_NAME, "td")[1:]]
    white, black = "rgba(255, 255, 255, 1)", "rgba(0, 0, 0, 1)"
    assert greys == [white if i == j else black for i in range(3) for j in range(3)]


def test_what_is_typed_comes_back_as_text(page):
    for name in ("translator", "selector"):
        choose(page, name)
        if name == "selector":
            page.find_element(By.ID, "answers").clear()
            page.find_element(By.ID, "answers").send_keys(ATTACK)
        result = type_and_go(page, ATTACK)
        expected = ATTACK[::-1] if name == "translator" else ATTACK
        assert expected in result.get_attribute("textContent")
        assert not result.find_elements(By.CSS_SELECTOR, "img, script")
        assert page.title == "keras_attention"


def test_ranked_answers_with_their_heat_maps(page):
    choose(page, "selector")
    answers = page.find_element(By.ID, "answers")
    answers.clear()
    answers.send_keys("far too long an answer\nfive 5\nseven 77\n\n")
    result = type_and_go(page, "seven !!")
    items = result.find_elements(By.CSS_SELECTOR, "ol.answers > li")
    texts = [item.text for item in items]
    assert [text.splitlines()[0] for text in texts] == [
        "seven 77 similarity 1.000",
        "five 5 similarity 0.333",
        "far too long an answer similarity 0.067",
    ]
    for item, words in zip(items, (["seven", "77"], ["five", "5"], ["far", "too", "long", "an", "answer"])):
        for side, expected in (("question", ["seven", "!!"]), ("answer", words)):
            spans = item.find_elements(By.CSS_SELECTOR, f".heat.{side} span:not(.score)")
            assert [span.text for span in spans] == expected
            assert all(span.value_of_css_property("background-color") == "rgba(247, 251, 255, 1)" for span in spans)
            assert spans[0].get_attribute("title") == f"{1 / len(expected):.4f}"


def test_a_question_to_the_index(page):
    choose(page, "index")
    assert not page.find_element(By.ID, "answers").is_displayed()
    items = type_and_go(page, "seven !!").find_elements(By.CSS_SELECTOR, "ol.answers > li")
    first_lines = [item.text.splitlines()[0] for item in items]
    assert first_lines == ["of seven similarity 1.000", "four similarity 0.200"]
    spans = items[0].find_elements(By.CSS_SELECTOR, ".heat.answer span:not(.score)")
    assert [span.text for span in spans] == ["of", "seven"]


def test_errors_are_said_and_the_next_request_works(page):
    choose(page, "selector")
    page.find_element(By.ID, "answers").clear()
    type_and_go(page, "a question")
    assert page.find_element(By.ID, "status").text == "Type at least one answer."
    page.find_element(By.ID, "answers").send_keys("an answer")
    assert "an answer" in type_and_go(page, "a question").text
    assert page.find_element(By.ID, "status").text.endswith("ms")


def test_the_answers_that_the_server_was_given(browser, plain_server):
    browser.get(plain_server.rest_address + "/")
    WebDriverWait(browser, PATIENT).until(lambda b: len(Select(b.find_element(By.ID, "model")).options) == 3)
    choose(browser, "selector")
    assert browser.find_element(By.ID, "answers").get_attribute("value") == "four\na longer answer\nseven 7"
