"""What readers of vulnerabilities share."""

from stages.ingest.vulnerabilities import CVE, Wording, described, in_english, iso_date, weaknesses


def test_only_english_texts_are_used() -> None:
    german, british = Wording("de", "Ein Fehler."), Wording("en-GB", "A fault.")
    assert in_english([german, Wording("en", " "), british]) == "A fault."
    assert in_english([german]) == "" == in_english([])


def test_marks_before_a_text_are_fields() -> None:
    text, marks = described("** UNSUPPORTED WHEN ASSIGNED ** ** DISPUTED **\nThe `page` fails.")
    assert (text, marks) == ("The page fails.", {"unsupported": True, "disputed": True})
    assert described("** bold ** claims") == ("** bold ** claims", {})


def test_weaknesses_once_each_in_numerical_order() -> None:
    assert weaknesses(["CWE-100", " CWE-79", "CWE-079", "NVD-CWE-noinfo", "CWE-", "CWE-١٢", "cwe-1"]) == ["CWE-79", "CWE-100"]


def test_ids_and_dates_of_ascii_digits_only() -> None:
    assert CVE.fullmatch("CVE-2031-1000") and not CVE.fullmatch("CVE-2031-١٢٣٤") and not CVE.fullmatch("CVE-2031-1000\n")
    assert iso_date("2031-02-03T04:05:06Z") == "2031-02-03" and iso_date("yesterday") == "" == iso_date("")


def test_a_text_that_was_cut_keeps_its_whole_sentences() -> None:
    text, marks = described("The driver frees the object of a queue twice. After that the kernel wri---truncated---")
    assert (text, marks) == ("The driver frees the object of a queue twice.", {"text_cut": True})
    assert described("queue_free+0x10/0x20\nqueue_put+0x1---truncated---")[0] == "queue_free+0x10/0x20\nqueue_put+0x1"
    assert described("It ends in dots...") == ("It ends in dots...", {})


def test_marks_without_end_end() -> None:
    assert described("** DISPUTED ** " * 100_000 + "The page fails.") == ("The page fails.", {"disputed": True})
