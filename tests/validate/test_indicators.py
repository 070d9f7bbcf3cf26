import pytest

from stages.validate.credentials import replaced
from stages.validate.indicators import find_indicators

DEFANGED = {
    "Get http://evil-updates.net/a/run.exe, then wait": ("payload-address", "Get hxxp://evil-updates[.]net/a/run.exe, then wait"),
    "iex https://cdn.bad.io/x.ps1?id=3": ("payload-address", "iex hxxps://cdn[.]bad[.]io/x.ps1?id=3"),
    "Beacons to http://45.9.148.3/gate.php": ("address-by-ip", "Beacons to hxxp://45[.]9[.]148[.]3/gate.php"),
    "via tcp://45.9.148.3:4444": ("address-by-ip", "via tcp[:]//45[.]9[.]148[.]3:4444"),
    "http://abcdefabcdefabcd.onion/": ("onion-address", "hxxp://abcdefabcdefabcd[.]onion/"),
    "The C2 server 45.9.148.3 answers": ("public-ip", "The C2 server 45[.]9[.]148[.]3 answers"),
    "hosted on a server at 45.9.148.3, it": ("public-ip", "hosted on a server at 45[.]9[.]148[.]3, it"),
    "Get ftp://bob:pass@evil.net/x.exe now": ("payload-address", "Get ftp[:]//bob:pass@evil[.]net/x.exe now"),
    "It opens 45.9.148.3:8443 then": ("public-ip", "It opens 45[.]9[.]148[.]3:8443 then"),
}


@pytest.mark.parametrize("text", DEFANGED)
def test_live_indicators_are_defanged_and_stay_so(text: str) -> None:
    rule, after = DEFANGED[text]
    spans = find_indicators(text)
    assert [span.rule for span in spans] == [rule]
    assert replaced(text, spans) == after and find_indicators(after) == []


@pytest.mark.parametrize(
    "text",
    [
        "See https://attack.mitre.org/techniques/T1059 and https://www.vendor.com/security/advisory.html.",
        "Metadata service http://169.254.169.254/latest, http://127.0.0.1:8080/x.exe and http://192.168.1.1/a.sh",
        "http://www.example.com/setup.exe is an example, so is http://localhost/x.dll",
        "Versions before 23.10.3.0 and 5.0.4.1 (build 11.6.0.626) of the server are affected.",
        "F5 BIG-IP 16.1.2.2, Exchange Server 15.1.2.3, Citrix Server: 13.0.47.24 and SAP Host 7.2.11.9 before the fix",
        "hxxp://evil[.]net/a.exe is defanged already",
        "OID 1.3.6.1.4.1.311, file 999.999.999.999:80",
    ],
)
def test_documentation_private_and_reserved_places_and_versions_stay(text: str) -> None:
    assert find_indicators(text) == []
