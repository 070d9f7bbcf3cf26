"""One weakness in the three forms that MITRE publishes: the same entity, links and passages from each."""

from pathlib import Path

from stages.ingest.records import Records
from tests.ingest.readers.test_cwe_csv import ROW, table
from tests.ingest.readers.test_cwe_rest import CATEGORY, VERSION, VIEW, packed
from tests.ingest.reading import read_with

XML = """<?xml version="1.0" encoding="UTF-8"?>
<Weakness_Catalog xmlns="http://cwe.mitre.org/cwe-7" xmlns:xhtml="http://www.w3.org/1999/xhtml" Version="4.99"><Weaknesses>
<Weakness ID="901" Name="Loose Queue" Abstraction="Base" Structure="Simple" Status="Draft">
<Description>A queue has no bound.</Description>
<Extended_Description><xhtml:p>It grows until:</xhtml:p><xhtml:ul><xhtml:li>memory
  ends</xhtml:li><xhtml:li>time ends</xhtml:li></xhtml:ul></Extended_Description>
<Related_Weaknesses><Related_Weakness Nature="ChildOf" CWE_ID="900" View_ID="1000" Ordinal="Primary"/>
<Related_Weakness Nature="ChildOf" CWE_ID="902" View_ID="1003"/></Related_Weaknesses>
<Weakness_Ordinalities><Weakness_Ordinality><Ordinality>Primary</Ordinality></Weakness_Ordinality></Weakness_Ordinalities>
<Applicable_Platforms><Language Name="C++" Prevalence="Often"/><Technology Class="Web Based"/></Applicable_Platforms>
<Background_Details><Background_Detail>Queues wait.</Background_Detail></Background_Details>
<Alternate_Terms><Alternate_Term><Term>Pile</Term><Description>In mail.</Description></Alternate_Term></Alternate_Terms>
<Modes_Of_Introduction><Introduction><Phase>Implementation</Phase><Note>No bound is set.</Note></Introduction></Modes_Of_Introduction>
<Likelihood_Of_Exploit>High</Likelihood_Of_Exploit>
<Common_Consequences><Consequence><Scope>Availability</Scope><Scope>Other</Scope><Impact>DoS: Crash, Exit, or Restart</Impact>
<Note>std::queue grows: it ends.</Note></Consequence></Common_Consequences>
<Detection_Methods><Detection_Method><Method>Fuzzing</Method><Description>Push a lot.</Description>
<Effectiveness>High</Effectiveness></Detection_Method></Detection_Methods>
<Potential_Mitigations><Mitigation><Phase>Implementation</Phase><Phase>Architecture and Design</Phase><Strategy>Bounds</Strategy>
<Description>Bound it.</Description></Mitigation></Potential_Mitigations>
<Observed_Examples><Observed_Example><Reference>CVE-2031-90001</Reference><Description>Mail queue.</Description>
</Observed_Example></Observed_Examples>
<Functional_Areas><Functional_Area>Queues</Functional_Area></Functional_Areas>
<Affected_Resources><Affected_Resource>Memory</Affected_Resource></Affected_Resources>
<Taxonomy_Mappings><Taxonomy_Mapping Taxonomy_Name="PLOVER"><Entry_Name>Queues</Entry_Name></Taxonomy_Mapping></Taxonomy_Mappings>
<Related_Attack_Patterns><Related_Attack_Pattern CAPEC_ID="125"/></Related_Attack_Patterns>
<Demonstrative_Examples><Demonstrative_Example><Intro_Text>A queue.</Intro_Text>
<Example_Code Nature="Bad" Language="C"><xhtml:div>push(q);<xhtml:br/>push(q);</xhtml:div></Example_Code>
<Body_Text>It grows.</Body_Text></Demonstrative_Example></Demonstrative_Examples>
<Mapping_Notes><Usage>Allowed</Usage><Rationale>Fine.</Rationale><Comments>None.</Comments>
<Reasons><Reason Type="Acceptable-Use"/></Reasons>
<Suggestions><Suggestion CWE_ID="903" Comment="Tighter"/></Suggestions></Mapping_Notes>
<Notes><Note Type="Terminology">Also called pile.</Note></Notes></Weakness></Weaknesses>
<Categories><Category ID="910" Name="Queues" Status="Draft"><Summary>About queues.</Summary>
<Relationships><Has_Member CWE_ID="901" View_ID="1000"/></Relationships></Category></Categories>
<Views><View ID="1003" Name="Simplified" Type="Graph"><Objective>For mapping.</Objective>
<Members><Has_Member CWE_ID="910" View_ID="1003"/></Members></View></Views></Weakness_Catalog>"""
JSON = {
    "ID": "901",
    "Name": "Loose Queue",
    "Abstraction": "Base",
    "Structure": "Simple",
    "Status": "Draft",
    "Description": "A queue has no bound.",
    "ExtendedDescription": "\n\nIt grows until:\n\n\n  - memory\nends\n\n  - time ends\n",
    "RelatedWeaknesses": [
        {"Nature": "ChildOf", "CweID": "900", "ViewID": "1000", "Ordinal": "Primary"},
        {"Nature": "ChildOf", "CweID": "902", "ViewID": "1003"},
    ],
    "WeaknessOrdinalities": [{"Ordinality": "Primary"}],
    "ApplicablePlatforms": [{"Type": "Language", "Name": "C++"}, {"Type": "Technology", "Class": "Web Based"}],
    "BackgroundDetails": ["\n\nQueues wait.\n"],
    "AlternateTerms": [{"Term": "Pile", "Description": "In mail."}],
    "ModesOfIntroduction": [{"Phase": "Implementation", "Note": "No bound is set."}],
    "LikelihoodOfExploit": "High",
    "CommonConsequences": [
        {"Scope": ["Availability", "Other"], "Impact": ["DoS: Crash, Exit, or Restart"], "Note": "std::queue grows: it ends."}
    ],
    "DetectionMethods": [{"Method": "Fuzzing", "Description": "Push a lot.", "Effectiveness": "High"}],
    "PotentialMitigations": [
        {"Phase": ["Implementation", "Architecture and Design"], "Strategy": "Bounds", "Description": "Bound it."}
    ],
    "ObservedExamples": [{"Reference": "CVE-2031-90001", "Description": "Mail queue."}],
    "FunctionalAreas": ["Queues"],
    "AffectedResources": ["Memory"],
    "TaxonomyMappings": [{"TaxonomyName": "PLOVER", "EntryName": "Queues"}],
    "RelatedAttackPatterns": ["125"],
    "DemonstrativeExamples": [
        {
            "Entries": [
                {"IntroText": "A queue."},
                {"Nature": "Bad", "Language": "C", "ExampleCode": "```\n\tpush(q);\n\tpush(q);\n```"},
                {"BodyText": "It grows."},
            ]
        }
    ],
    "MappingNotes": {
        "Usage": "Allowed",
        "Rationale": "Fine.",
        "Comments": "None.",
        "Reasons": ["Acceptable-Use"],
        "Suggestions": [{"CweID": "903", "Comment": "Tighter"}],
    },
    "Notes": [{"Type": "Terminology", "Note": "Also called pile."}],
}
CSV = ROW | {
    "Extended Description": "It grows until: memory ends time ends",
    "Weakness Ordinalities": "::ORDINALITY:Primary::",
    "Background Details": "::Queues wait.::",
    "Alternate Terms": "::TERM:Pile:DESCRIPTION:In mail.::",
    "Modes Of Introduction": "::PHASE:Implementation:NOTE:No bound is set.::",
    "Likelihood of Exploit": "High",
    "Detection Methods": "::METHOD:Fuzzing:DESCRIPTION:Push a lot.:EFFECTIVENESS:High::",
    "Functional Areas": "::Queues::",
    "Affected Resources": "::Memory::",
    "Taxonomy Mappings": "::TAXONOMY NAME:PLOVER:ENTRY NAME:Queues::",
    "Related Attack Patterns": "::125::",
    "Notes": "::TYPE:Terminology:NOTE:Also called pile.::",
}


def forms(folder: Path) -> tuple[Records, Records, Records]:
    """XML, REST and CSV."""
    (folder / "cwe.xml").write_text(XML)
    (folder / "1000.csv").write_text(table([CSV]))
    entries = {"cwev.json": VERSION, "W/901.json": JSON, "C/910.json": CATEGORY, "V/1003.json": VIEW}
    return (
        read_with("cwe", {"catalogue": folder / "cwe.xml"}, version="4.99"),
        read_with("cwe_rest", {"repository": packed(folder, entries)}, version="4.99"),
        read_with("cwe_csv", {"research": folder / "1000.csv"}, version="4.99"),
    )


def plain(records: Records) -> tuple[list[tuple[object, ...]], list[tuple[str, ...]], list[tuple[str, str]]]:
    entities = [(one.id, one.type, one.name, one.text, one.uri, one.fields, one.deprecated) for one in records.entities]
    links = sorted((link.subject, link.relation, link.object, link.text) for link in records.links)
    return entities, links, [(one.id, one.text) for one in records.passages]


def test_xml_and_rest_say_the_same(tmp_path: Path) -> None:
    xml, rest, _ = forms(tmp_path)
    assert plain(xml) == plain(rest) and not xml.rejects and not rest.rejects


def test_csv_says_less_and_nothing_else(tmp_path: Path) -> None:
    xml, _, csv = (next(one for one in records.entities if one.type == "weakness") for records in forms(tmp_path))
    lost = {key for key in xml.fields if key not in csv.fields}
    assert lost == {"structure", "examples", "mapping"}
    differ = {key for key in csv.fields if csv.fields[key] != xml.fields[key]}
    assert differ == {"extended"}  # its line breaks are lost
