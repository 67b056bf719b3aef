"""Protects that exports of many help desks are tickets, with their decisive columns found by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from ces_pipeline.home import Home
from ces_pipeline.profiling import Inspection, inspect_file
from ces_pipeline.registry.load import load_registry
from ces_pipeline.registry.registry import Registry
from ces_pipeline_tests.unit.vendors.reading import delivered

T1, T2, T3, T4 = (f"2026-03-02T{hour:02}:00:00Z" for hour in (8, 9, 10, 11))
D1, D2, D3, D4 = (f"2026-03-02 {hour:02}:00:00" for hour in (8, 9, 10, 11))
E1, E2, E3 = 1772438400, 1772442000, 1772445600


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return load_registry(Home(tmp_path_factory.mktemp("home") / "home").make().registry)


def inspected(folder: Path, registry: Registry, text: str, name: str, **given: Any) -> Inspection:
    return inspect_file(delivered(folder, text, name).path, registry, time_zone="UTC", **given)


def mapped(found: Inspection) -> dict[str, str]:
    return {column.field: column.name for column in found.columns if column.field}


def table(row: dict[str, str], separator: str = ",") -> str:
    return "\n".join(separator.join(f'"{cell}"' for cell in line) for line in (row, row.values())) + "\n"


EXPORTS: dict[str, tuple[Any, dict[str, str]]] = {
    "jira_csv": (
        {"Summary": "x", "Issue key": "SD-1", "Issue id": "10000", "Issue Type": "Billing", "Status": "Done",
         "Project key": "SD", "Priority": "Medium", "Assignee": "u2", "Reporter": "u1", "Created": D1, "Updated": D3,
         "Resolved": D3},
        {"ticket_id": "Issue key", "status": "Status", "created_at": "Created", "solved_at": "Resolved",
         "category": "Issue Type", "requester": "Reporter", "updated_at": "Updated"},
    ),
    "jira_german": (
        {"Zusammenfassung": "x", "Vorgangsschlüssel": "SD-1", "Vorgangs-ID": "10000", "Vorgangstyp": "Rechnung",
         "Status": "Erledigt", "Priorität": "Mittel", "Bearbeiter": "u2", "Ersteller": "u1",
         "Erstellt": "2026-03-02", "Aktualisiert": "2026-03-04", "Erledigt": "2026-03-04"},
        {"ticket_id": "Vorgangsschlüssel", "status": "Status", "created_at": "Erstellt", "solved_at": "Erledigt",
         "category": "Vorgangstyp", "requester": "Ersteller"},
    ),
    "jira_french": (
        {"Résumé": "x", "Clé de ticket": "SD-1", "Type de ticket": "Facture", "État": "Terminé", "Priorité": "Moyenne",
         "Rapporteur": "u1", "Création": D1, "Mise à jour": D3, "Résolu": D3},
        {"ticket_id": "Clé de ticket", "status": "État", "created_at": "Création", "solved_at": "Résolu",
         "category": "Type de ticket", "requester": "Rapporteur"},
    ),
    "jira_spanish": (
        {"Resumen": "x", "Clave de incidencia": "SD-1", "Tipo de Incidencia": "Factura", "Estado": "Listo",
         "Prioridad": "Media", "Informador": "u1", "Creada": D1, "Actualizada": D3, "Resuelta": D3},
        {"ticket_id": "Clave de incidencia", "status": "Estado", "created_at": "Creada", "solved_at": "Resuelta",
         "category": "Tipo de Incidencia", "requester": "Informador"},
    ),
    "jira_json": (
        {"issues": [{"id": "10000", "key": "SD-1", "fields": {
            "issuetype": {"name": "Billing"}, "status": {"name": "Resolved"}, "priority": {"name": "Medium"},
            "reporter": {"emailAddress": "ann@example.org"}, "created": T1, "updated": T3, "resolutiondate": T3}}]},
        {"ticket_id": "key", "status": "fields.status.name", "created_at": "fields.created",
         "solved_at": "fields.resolutiondate", "category": "fields.issuetype.name",
         "requester": "fields.reporter.emailAddress"},
    ),
    "github": (
        [{"id": 9000, "number": n, "title": "x", "user": {"login": "u1", "id": 5}, "state": "closed",
          "assignee": None, "created_at": T1, "updated_at": T3, "closed_at": T3, "type": {"name": "Bug"}}
         for n in (1, 2)],
        {"ticket_id": "number", "status": "state", "created_at": "created_at", "closed_at": "closed_at",
         "category": "type.name", "requester": "user.login"},
    ),
    "gitlab_json": (
        [{"id": 9000 + n, "iid": n, "title": "x", "author": {"username": "u1"}, "state": "closed",
          "issue_type": "incident report", "created_at": T1, "updated_at": T3, "closed_at": T3} for n in (1, 2)],
        {"ticket_id": "iid", "status": "state", "created_at": "created_at", "closed_at": "closed_at",
         "category": "issue_type", "requester": "author.username"},
    ),
    "gitlab_csv": (
        {"Title": "x", "Issue ID": "1", "URL": "https://git.example.org/1", "State": "Closed", "Author": "Ann",
         "Author Username": "u1", "Assignee": "", "Created At (UTC)": D1, "Updated At (UTC)": D3,
         "Closed At (UTC)": D3},
        {"ticket_id": "Issue ID", "status": "State", "created_at": "Created At (UTC)",
         "closed_at": "Closed At (UTC)", "requester": "Author Username"},
    ),
    "salesforce_loader": (
        {"ID": "500A1", "ISDELETED": "false", "MASTERRECORDID": "", "CASENUMBER": "00001026",
         "SUPPLIEDEMAIL": "ann@example.org", "TYPE": "Billing", "STATUS": "Closed", "ORIGIN": "Web", "PRIORITY": "High",
         "ISCLOSED": "true", "CLOSEDDATE": T3, "CREATEDDATE": T1, "LASTMODIFIEDDATE": T3},
        {"ticket_id": "CASENUMBER", "status": "STATUS", "created_at": "CREATEDDATE", "closed_at": "CLOSEDDATE",
         "category": "TYPE", "requester": "SUPPLIEDEMAIL", "is_deleted": "ISDELETED", "merged_into": "MASTERRECORDID",
         "channel": "ORIGIN"},
    ),
    "salesforce_report": (
        {"Case Number": "00001026", "Contact: Email": "ann@example.org", "Status": "Closed", "Priority": "High",
         "Case Origin": "Web", "Type": "Billing", "Date/Time Opened": D1, "Date/Time Closed": D3, "Closed": "1"},
        {"ticket_id": "Case Number", "status": "Status", "created_at": "Date/Time Opened",
         "closed_at": "Date/Time Closed", "category": "Type", "requester": "Contact: Email"},
    ),
    "hubspot_csv": (
        {"Ticket ID": "1", "Ticket name": "x", "Pipeline": "Support", "Ticket status": "Closed", "Create date": D1,
         "Close date": D3, "Priority": "High", "Category": "Billing", "Associated Contact": "ann@example.org",
         "Time to close (HH:mm:ss)": "2:00:00", "First agent email response date": D2},
        {"ticket_id": "Ticket ID", "status": "Ticket status", "created_at": "Create date", "closed_at": "Close date",
         "category": "Category", "requester": "Associated Contact", "first_reply_at": "First agent email response date"},
    ),
    "hubspot_json": (
        {"results": [{"id": "1", "createdAt": T1, "updatedAt": T3, "archived": False, "properties": {
            "hs_pipeline_stage": "4", "closed_date": T3, "hs_ticket_priority": "HIGH", "hs_ticket_category": "BILLING",
            "first_agent_reply_date": T2}}]},
        {"ticket_id": "id", "status": "properties.hs_pipeline_stage", "created_at": "createdAt",
         "closed_at": "properties.closed_date", "category": "properties.hs_ticket_category",
         "first_reply_at": "properties.first_agent_reply_date"},
    ),
    "intercom": (
        {"type": "conversation.list", "conversations": [
            {"type": "conversation", "id": "501", "created_at": E1, "updated_at": E3, "state": "closed", "open": False,
             "source": {"type": "conversation", "author": {"type": "user", "id": "u0", "email": "ann@example.org"}},
             "custom_attributes": {"issue_type": "Billing"},
             "statistics": {"first_admin_reply_at": E2, "last_close_at": E3, "count_reopens": 1}}]},
        {"ticket_id": "id", "status": "state", "created_at": "created_at",
         "first_reply_at": "statistics.first_admin_reply_at", "closed_at": "statistics.last_close_at",
         "category": "custom_attributes.issue_type", "requester": "source.author.email",
         "reopens": "statistics.count_reopens"},
    ),
    "kustomer": (
        {"data": [{"type": "conversation", "id": "5f1", "attributes": {
            "status": "done", "priority": 3, "createdAt": T1, "updatedAt": T3, "firstResponse": {"createdAt": T2},
            "lastDone": {"createdAt": T3}, "reopenCount": 1, "custom": {"categoryTree": "billing"}},
            "relationships": {"customer": {"data": {"type": "customer", "id": "c1"}}}}]},
        {"ticket_id": "id", "status": "attributes.status", "created_at": "attributes.createdAt",
         "first_reply_at": "attributes.firstResponse.createdAt", "solved_at": "attributes.lastDone.createdAt",
         "category": "attributes.custom.categoryTree", "requester": "relationships.customer.data.id",
         "reopens": "attributes.reopenCount"},
    ),
    "zammad": (
        [{"id": 1, "number": "22001", "title": "x", "state": "closed", "priority": "2 normal", "group": "Users",
          "customer": "ann@example.org", "type": "Billing", "first_response_at": T2, "close_at": T3, "created_at": T1,
          "updated_at": T3}],
        {"ticket_id": "number", "status": "state", "created_at": "created_at", "first_reply_at": "first_response_at",
         "closed_at": "close_at", "category": "type", "requester": "customer"},
    ),
    "help_scout": (
        {"_embedded": {"conversations": [
            {"id": 2919, "number": 349, "type": "email", "status": "closed", "state": "published", "subject": "x",
             "mailboxId": 15, "createdAt": T1, "closedAt": T3, "userUpdatedAt": T3,
             "primaryCustomer": {"id": 11, "email": "ann@example.org"}}]}},
        {"ticket_id": "number", "status": "status", "created_at": "createdAt", "closed_at": "closedAt",
         "requester": "primaryCustomer.email", "updated_at": "userUpdatedAt"},
    ),
    "front": (
        {"_results": [{"id": "cnv_1", "subject": "x", "status": "archived", "assignee": None,
                       "recipient": {"handle": "ann@example.org", "role": "from"}, "created_at": 1772438400.5,
                       "tags": []}]},
        {"ticket_id": "id", "status": "status", "created_at": "created_at", "requester": "recipient.handle"},
    ),
    "gorgias": (
        {"data": [{"id": 1, "channel": "email", "status": "closed", "spam": False, "priority": "normal", "subject": "x",
                   "customer": {"email": "ann@example.org"}, "created_datetime": T1, "updated_datetime": T3,
                   "closed_datetime": T3, "trashed_datetime": None}]},
        {"ticket_id": "id", "status": "status", "created_at": "created_datetime", "closed_at": "closed_datetime",
         "requester": "customer.email", "is_spam": "spam", "channel": "channel"},
    ),
    "osticket": (
        {"Ticket Number": "100201", "Date Created": D1, "Subject": "x", "From": "Ann", "From Email": "ann@example.org",
         "Priority": "Normal", "Department": "Support", "Help Topic": "Billing", "Source": "Web",
         "Current Status": "Closed", "Last Updated": D3, "Closed Date": D3},
        {"ticket_id": "Ticket Number", "status": "Current Status", "created_at": "Date Created",
         "closed_at": "Closed Date", "category": "Help Topic", "requester": "From Email", "group_name": "Department"},
    ),
    "otrs_portuguese": (
        {"Chamado#": "2026030210000011", "Criado": D1, "Fechado": D3, "Primeira Resposta": D2,
         "Estado": "fechado com êxito", "Prioridade": "3 normal", "Fila": "Suporte", "Tipo": "Fatura",
         "ID do Cliente": "c1", "Assunto": "x"},
        {"ticket_id": "Chamado#", "status": "Estado", "created_at": "Criado", "first_reply_at": "Primeira Resposta",
         "closed_at": "Fechado", "category": "Tipo", "requester": "ID do Cliente", "group_name": "Fila"},
    ),
    "otrs": (
        {"Ticket#": "2026030210000011", "Created": D1, "Closed": D3, "First Response": D2, "State": "closed successful",
         "Priority": "3 normal", "Queue": "Support", "Type": "Billing", "CustomerID": "c1", "Subject": "x"},
        {"ticket_id": "Ticket#", "status": "State", "created_at": "Created", "first_reply_at": "First Response",
         "closed_at": "Closed", "category": "Type", "requester": "CustomerID"},
    ),
    "days_only": (
        {"Number": "1", "Opened": "2026-03-02", "Closed": "2026-03-04", "Status": "Closed", "Category": "Billing"},
        {"ticket_id": "Number", "status": "Status", "created_at": "Opened", "closed_at": "Closed",
         "category": "Category"},
    ),
    "values_shown": (
        {"sys_id": "a1", "incident_number": "INC1", "incident_state": "6", "opened_at_value": D1,
         "resolved_at_value": D3, "sys_updated_on_value": D3, "category_value": "network",
         "caller_id_value": "ann@example.org"},
        {"ticket_id": "incident_number", "status": "incident_state", "created_at": "opened_at_value",
         "solved_at": "resolved_at_value", "category": "category_value", "requester": "caller_id_value"},
    ),
    "event_log": (
        {"Case ID": "7", "Activity": "Opened", "Complete Timestamp": D1, "Resource": "r1"},
        {"ticket_id": "Case ID", "status": "Activity", "updated_at": "Complete Timestamp"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("system", EXPORTS)
def test_the_decisive_columns_of_a_help_desk_are_found(
    tmp_path: Path, registry: Registry, system: str
) -> None:
    content, expected = EXPORTS[system]
    is_row = isinstance(content, dict) and all(isinstance(value, str) for value in content.values())
    text, name = (table(content), f"{system}.csv") if is_row else (json.dumps(content), f"{system}.json")
    found = inspected(tmp_path, registry, text, name)
    assert (found.kind, found.kind_is) == ("tickets", "known")
    names = mapped(found)
    assert {field: names.get(field) for field in expected} == expected
    assert [question.text for question in found.questions if question.blocks] == []
    requester = [column.holds for column in found.columns if column.field == "requester"]
    assert requester == ["person"] * len(requester)
    assert "example.org" not in repr(found).replace("git.example.org", "")


def test_an_inner_id_is_the_key_where_the_number_of_a_project_repeats(
    tmp_path: Path, registry: Registry
) -> None:
    rows = [{"id": 9000 + n, "iid": n % 2, "state": "opened", "created_at": T1, "updated_at": T3, "closed_at": None}
            for n in range(4)]  # fmt: skip
    found = inspected(tmp_path, registry, json.dumps(rows), "issues.json", kind="tickets")
    assert mapped(found)["ticket_id"] == "id"


def test_a_flag_is_no_time_of_closing_even_without_another_column(tmp_path: Path, registry: Registry) -> None:
    row = {"Case Number": "1", "Status": "Closed", "Opened Date": D1, "Closed": "1"}
    found = inspected(tmp_path, registry, table(row), "report.csv", kind="tickets")
    assert "closed_at" not in mapped(found)


def test_what_every_row_is_is_no_category(tmp_path: Path, registry: Registry) -> None:
    rows = [
        {"id": n, "type": "ticket", "status": "open", "created_at": T1, "updated_at": T2} for n in range(3)
    ]
    found = inspected(tmp_path, registry, json.dumps(rows), "rows.json", kind="tickets")
    assert "category" not in mapped(found)


def test_a_duration_is_used_where_times_of_closing_are_missing(tmp_path: Path, registry: Registry) -> None:
    row = {"Ticket ID": "1", "Status": "Closed", "Created time": D1, "Resolution time (in hrs)": "2:30:00"}
    found = inspected(tmp_path, registry, table(row), "desk.csv", kind="tickets")
    assert mapped(found)["resolution_hours"] == "Resolution time (in hrs)"
    assert [question.text for question in found.questions if question.blocks] == []


def test_codes_of_a_pipeline_that_every_installation_has_are_named(
    tmp_path: Path, registry: Registry
) -> None:
    found = inspected(tmp_path, registry, json.dumps(EXPORTS["hubspot_json"][0]), "hubspot.json")
    assert found.proposal.sources[0]["values"]["status"]["4"] == "closed"


def test_a_survey_with_a_status_and_a_date_is_no_ticket(tmp_path: Path, registry: Registry) -> None:
    row = {
        "Response ID": "1",
        "Status": "Complete",
        "Start Date": D1,
        "End Date": D2,
        "How easy was it?": "5",
    }
    assert inspected(tmp_path, registry, table(row), "survey.csv").kind == "survey"
