"""Usual names of columns, for formats that do not define what their columns mean."""

import re
from collections.abc import Collection, Mapping

from ces_pipeline.formats.contract import map_columns
from ces_pipeline.profiling.ticket_spellings import TICKETS
from ces_pipeline.schemas.kinds import KindName

_SURVEY = {
    "response_id": "response id | submission id | answer id | survey response id | antwort id | "
    "antwort-id | antwort nr | id de réponse | identifiant de réponse | id de respuesta | "
    "id de la respuesta | id risposta | id della risposta | id da resposta | id de resposta | antwoord-id | "
    "antwoord id | id | _id | uuid",
    "ticket_id": "ticket id | ticket | ticket number | case id | case number | conversation id | "
    "ticket-id | ticketnummer | ticket-nr | vorgangsnummer | fallnummer | numéro de ticket | n° de ticket | "
    "número de ticket | número de caso | numero ticket | número do ticket | número do chamado | zaaknummer",
    "external_id": "external id | external reference",
    "respondent": "respondent | respondent id | respondent email | email | email address | e-mail | "
    "e-mail address | your email | your email address | customer email | user email | contact email | "
    "customer id | user id | contact id | customer | e-mail-adresse | kundennummer | kunde | "
    "adresse e-mail | courriel | correo electrónico | correo | indirizzo email | indirizzo e-mail | "
    "endereço de e-mail | e-mailadres",
    "ip_address": "ip address | ip | ip-adresse | adresse ip | dirección ip | indirizzo ip | endereço ip | "
    "ip-adres",
    "device": "device id | cookie id | visitor id",
    "channel": "channel",
    "product": "product",
    "journey_stage": "journey stage",
    "process": "process",
    "device_type": "device type | device category | device",
    "language": "language | locale",
    "comment": "comment | comments | feedback | verbatim | kommentar | kommentare | anmerkung | "
    "anmerkungen | commentaire | commentaires | comentario | comentarios | commento | commenti | "
    "comentário | comentários | opmerking | opmerkingen",
    "status": "status",
    "finished": "finished | completed | is finished | is complete | abgeschlossen | beendet | terminé | "
    "finalizado | terminado | completado | completato | concluído | afgerond | voltooid",
    "duration_seconds": "duration seconds | duration (in seconds) | duration in seconds | duration (s)",
    "started_at": "started at | start date | start time | time started | started | gestartet | startzeit | "
    "startdatum | beginn | heure de début | date de début | hora de inicio | fecha de inicio | "
    "ora di inizio | data di inizio | hora de início | data de início | begintijd | starttijd",
    "submitted_at": "submitted at | submit date | date submitted | submitted on | submission date | "
    "submission time | submitted | completed at | completion time | end date | end time | answered at | "
    "responded at | rated at | response date | timestamp | created at | date created | abgeschickt am | "
    "abgesendet am | abgesendet | eingereicht am | gesendet am | zeitstempel | endzeit | enddatum | "
    "datum und uhrzeit | date de soumission | envoyé le | soumis le | heure de fin | horodateur | "
    "fecha de envío | enviado el | enviado | marca temporal | hora de finalización | data di invio | "
    "inviato il | ora di fine | informazioni cronologiche | data de envio | enviado em | "
    "carimbo de data/hora | hora de término | verzonden op | ingezonden op | tijdstempel | eindtijd | "
    "date | date/time | time | datum | zeit | fecha | data | hora",
    "recorded_at": "recorded at | recorded date",
    "modified_at": "modified at | modified | updated at | updated | updated on | updated date | "
    "updated time | last updated | last updated at | last updated on | last update | last update time | "
    "last modified | last modified at | last modified on | last modified time | last modified date | "
    "date modified | date updated | date last modified | modified time | modified date | modified on | "
    "modification date | modification time | last changed | changed at | last edited | last edited at | "
    "edited at | edited on | edit time | geändert am | geändert | zuletzt geändert | zuletzt geändert am | "
    "letzte änderung | uhrzeit der letzten änderung | änderungsdatum | aktualisiert am | "
    "zuletzt aktualisiert | modifié le | dernière modification | date de modification | "
    "date de dernière modification | heure de la dernière modification | mis à jour le | "
    "dernière mise à jour | date de mise à jour | modificado | modificado el | última modificación | "
    "fecha de modificación | hora de la última modificación | actualizado | actualizado el | "
    "última actualización | fecha de actualización | modificato il | ultima modifica | data di modifica | "
    "data ultima modifica | ora dell'ultima modifica | aggiornato il | ultimo aggiornamento | "
    "modificado em | última modificação | data de modificação | hora da última modificação | "
    "atualizado em | última atualização | data de atualização | gewijzigd op | laatst gewijzigd | "
    "laatst gewijzigd op | laatste wijziging | wijzigingsdatum | tijdstip van laatste wijziging | "
    "bijgewerkt op | laatst bijgewerkt",
    "nps": "nps | nps score | likelihood to recommend",
    "csat": "csat | csat score",
}
_PERSON = (
    "person id | email | email address | customer email | user email | contact email | customer id | user id | "
    "contact id | customer | user"
)
_ACCOUNTS = {
    "person": _PERSON,
    "account": "account id | account name | company id | company | organization id | organization | organisation",
    "valid_from": "effective from | effective date | effective at | changed on | changed at | since",
    "valid_to": "valid until | effective to | effective until",
}
_INVITATIONS = {
    "sent_at": "sent | sent on | sent date | sent time | date sent | invited at | invited on | invitation date",
    "invitation_id": "invite id | distribution id | message id | id",
    "survey": "survey id | survey name | poll id",
    "person": f"recipient | recipient email | recipient id | {_PERSON}",
    "response_id": "",
    "ticket_id": "ticket | ticket number | case id | case number",
    "event_id": "trigger id",
    "channel": "",
    "status": "state | delivery status | disposition",
}
_EVENTS = {
    "event_type": "event | event name | event kind | type | name",
    "event_id": "id",
    "survey": "survey id | poll id",
    "person": _PERSON,
    "ticket_id": "ticket | ticket number | case id | case number",
    "category": "",
    "value": "count | views",
    "occurred_at": "event time | event at | event timestamp | occurred | happened at | timestamp | time | at | "
    "created at | date",
}

_FOLLOW_UPS = {
    "follow_up_id": "follow up | followup id | follow-up id | callback id | case id | id",
    "response_id": "response | answer id | survey response id",
    "ticket_id": "ticket | ticket number | case number",
    "agent": "agent email | agent name | assignee | owner | handled by | taken by | by",
    "state": "status | stage | step",
    "changed_at": "at | changed | updated at | time | timestamp | date",
}


def _listed(name: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    """Spellings of a field. Its own name is first, unless a spelling of this or another field already is that name."""
    own = name.replace("_", " ")
    listed = tuple(filter(None, fields[name].split(" | ")))
    return listed if any(own in spellings.split(" | ") for spellings in fields.values()) else (name, *listed)


SPELLINGS: dict[str, dict[str, tuple[str, ...]]] = {
    kind: {name: _listed(name, fields) for name in fields}
    for kind, fields in (
        ("survey", _SURVEY),
        ("tickets", TICKETS),
        ("accounts", _ACCOUNTS),
        ("invitations", _INVITATIONS),
        ("events", _EVENTS),
        ("follow_ups", _FOLLOW_UPS),
    )
}
"""Kind of source -> our field -> spellings of its column, the most likely first."""

MAY_BE_DURATIONS = frozenset(
    ("first response time", "first reply time", "time to resolution", "resolution time")
)
"""Names that mean a time in some tables and minutes or hours in others: the cells show which."""

TICKET_WORDS = frozenset(
    (
        "priority",
        "assignee",
        "requester",
        "requester_id",
        "assigned_to",
        "assignee_id",
        "subject",
        "issue",
        "incident",
        "urgency",
        "sr",
        "activity",
        "concept:name",
        *(
            "prioridade",
            "prioridad",
            "priorität",
            "priorité",
            "priorità",
            "prioriteit",
            "vorgangstyp",
            "vorgangsschlüssel",
        ),
        *("chamado", "chamado#", "ticket#", "bearbeiter", "responsável", "hs_pipeline_stage", "casenumber"),
    )
)
"""Words that occur only in column names of tickets."""

_KIND_FIELDS: dict[KindName, dict[str, tuple[str, ...]]] = {
    "follow_ups": {
        "follow_up_id": ("follow up id", "follow up", "followup id", "follow-up id", "callback id"),
        "changed_at": SPELLINGS["follow_ups"]["changed_at"],
    },
    "invitations": {
        "sent_at": SPELLINGS["invitations"]["sent_at"],
        "person": SPELLINGS["invitations"]["person"],
    },
    "accounts": {
        "valid_from": SPELLINGS["accounts"]["valid_from"],
        "person": SPELLINGS["accounts"]["person"],
    },
    "events": {
        "event_type": ("event type", "event name", "event kind", "event"),
        "occurred_at": SPELLINGS["events"]["occurred_at"],
    },
}
"""A table with all these fields is of this kind. The order matters: an invitation may have the fields of events."""


def kind_by_names(columns: Collection[str]) -> KindName | None:
    """The kind of source that the column names show, other than survey and tickets; None if they show none."""
    return next(
        (kind for kind, fields in _KIND_FIELDS.items() if len(map_columns(columns, fields)) == len(fields)),
        None,
    )


_CLOSINGS = frozenset(("solved_at", "closed_at"))
_OF_TICKETS = frozenset(
    ("status", "priority", "group_name", "channel", "category", "ticket_id", "requester", "reopens", "csat")
)


def names_a_ticket(columns: Collection[str]) -> bool:
    """Whether the columns show when something was opened and closed or solved, and two more facts of a ticket."""
    found = map_columns(columns, SPELLINGS["tickets"]).keys()
    return "created_at" in found and bool(found & _CLOSINGS) and len(found & _OF_TICKETS) > 1


# English, German, French, Spanish, Italian, Portuguese, Dutch.
_EFFORT = re.compile(
    r"\b(eas(y|e|ily|ier|iness)|efforts?|effortless|difficult(y)?|hard(er)?|ces"
    r"|einfach(e|er|es)?|leicht|schwer|schwierig|aufwand|mühelos|facile(ment)?|difficile|simple"
    r"|fácil|difícil|facilidad|facilidade|esfuerzo|esforço|sforzo|makkelijk|moeilijk|moeite)\b",
    re.IGNORECASE,
)
_ASKS_EASE = re.compile(
    r"\b(how (easy|simple|easily)|made it (very )?easy|easy (was|is|did|do|to)|wie (einfach|leicht)|(facile|simple) "
    r"(a|était|est|de)|à quel point.*facile|(qué tan|cuán|cómo de) fácil|quanto (è stato|è|era) facile|quão fácil"
    r"|hoe (makkelijk|gemakkelijk|eenvoudig))\b",
    re.IGNORECASE,
)
_ASKS_EFFORT = re.compile(
    r"\b(how much (personal )?effort|effort (did|do) you|wie ?viel (aufwand|mühe)|combien d.efforts?"
    r"|cuánto esfuerzo|quanto sforzo|quanto esforço|hoeveel moeite)\b",
    re.IGNORECASE,
)
_NAMES_EASE = re.compile(
    r"\b(eas(y|e|ier)|einfach|leicht|facile|fácil|(ge)?makkelijk|simple)\b", re.IGNORECASE
)
_BARE = {"score", "rating", "answer"}


def asks_for_effort(column: str, question: str) -> bool:
    """Whether the name or question of a column asks about effort or ease, or the name is just `score`."""
    return column.lower() in _BARE or bool(_EFFORT.search(f"{re.sub('[_-]+', ' ', column)} {question}"))


def asks_for_ease(question: str) -> bool:
    """Whether a question asks how easy it was. A bare name such as `Ease score` asks nothing."""
    return bool(_ASKS_EASE.search(question))


def asks_for_effort_made(question: str) -> bool:
    """Whether a question asks how much effort it took. A bare name such as `Effort score` asks nothing."""
    return bool(_ASKS_EFFORT.search(question))


def names_ease(text: str) -> bool:
    """Whether a title or label speaks of ease."""
    return bool(_NAMES_EASE.search(text))
