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
    "The C2 domain update-cdn.net answers": ("malicious-domain", "The C2 domain update-cdn[.]net answers"),
    "It beacons to `ms-sync.top` daily.": ("malicious-domain", "It beacons to `ms-sync[.]top` daily."),
    "phishing sites such as login-mail.info.": ("malicious-domain", "phishing sites such as login-mail[.]info."),
    "command and control server (HTTPS): api.bad-cdn.co.uk": (
        "malicious-domain",
        "command and control server (HTTPS): api[.]bad-cdn[.]co[.]uk",
    ),
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
        "The C2 server evil.exe, the payload site index.php and the malicious host process svchost.exe.",
        "The C2 server api.telegram.org, malicious sites on github.com, the phishing site www.example.com",
        "Adversaries use C2 over DNS. Domains such as vendor-site.com resolve. The malicious domain is blocked. See wikipedia.org",
        "the C2 domain update-cdn[.]net, C2 (e.g. over HTTP), IoCs e.g. hashes; System.Net.WebClient, a malicious URL.create call",
        "OID 1.3.6.1.4.1.311, file 999.999.999.999:80",
    ],
)
def test_documentation_private_and_reserved_places_and_versions_stay(text: str) -> None:
    assert find_indicators(text) == []


def test_every_domain_of_a_list_is_defanged() -> None:
    text = "Indicators of compromise: a-cdn.net, b-cdn.net and c-cdn.org; see vendor.com for more."
    after = replaced(text, find_indicators(text))
    assert after == "Indicators of compromise: a-cdn[.]net, b-cdn[.]net and c-cdn[.]org; see vendor.com for more."
