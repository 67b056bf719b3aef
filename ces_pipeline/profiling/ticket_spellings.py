"""Names of ticket columns in exports of help desks, issue trackers and service desks, in the seven shipped languages.

Data only, read by `spellings.py`: our field -> names, separated by ` | `, the most likely first. Names are compared in
lower case without blanks and signs, so `Closed_At` is `closed at`. A dotted name is one of nested JSON without its
envelope. The names come from exports and API records of Zendesk, Freshdesk, Salesforce, HubSpot, Jira, Zoho, GitHub,
GitLab, Intercom, Kustomer, Zammad, Help Scout, Front, Gorgias, osTicket, OTRS and ServiceNow, from tables of incidents
and service requests, and from process-mining logs, where a ticket is a case.
"""

from ces_pipeline.formats.ticket_states import INCIDENT_CODES

# The id that people and surveys name goes before an inner one.
_TICKET_ID = (
    "ticket id | ticket number | ticket # | ticket no | case number | case no | issue key | incident number | "
    "request number | sr number | service request number | number | iid | display id | key | id | case id | "
    "complaint id | request id | conversation id | incident id | incident | issue id | case | case:concept:name | "
    "vorgangsschlüssel | schlüssel | ticketnummer | ticket-nr | ticket-id | vorgangsnummer | fallnummer | "
    "störungsnummer | anfragenummer | "
    "clé de ticket | clé du ticket | clé | numéro de ticket | n° de ticket | numéro du ticket | id du ticket | "
    "numéro de demande | numéro d'incident | numéro | "
    "clave de incidencia | clave | número de ticket | id de ticket | id del ticket | número de caso | "
    "número de incidencia | número de solicitud | número | "
    "chiave segnalazione | chiave del ticket | chiave | numero ticket | numero del ticket | id ticket | "
    "numero richiesta | numero caso | numero | "
    "chave da item | chave do item | chave | número do ticket | número do chamado | chamado # | chamado | "
    "id do ticket | id do chamado | número do caso | número da solicitação | "
    "issuesleutel | sleutel | ticketnummer | nummer | zaaknummer | incidentnummer"
)
_STATUS = (
    "status | ticket status | case status | current status | status.name | state | incident state | incident status | "
    "issue status | ticket state | conversation status | hs_pipeline_stage | status category | activity | "
    "concept:name | estado | zustand | statut | état | stato | situação | ticketstatus | vorgangsstatus | "
    "estado del ticket | estado actual | estado do ticket | status do chamado | stato del ticket | statut du ticket | "
    "toestand"
)
_PRIORITY = (
    "priority | ticket priority | hs_ticket_priority | severity | priorität | priorité | prioridad | priorità | "
    "prioridade | prioriteit"
)
_CATEGORY = (
    "category | ticket category | issue category | hs_ticket_category | help topic | topic | case reason | type | "
    "ticket type | issue type | case type | request type | incident type | reason | issue | custom.category | "
    "custom.category str | custom.category tree | kategorie | thema | vorgangstyp | vorgangsart | typ | "
    "catégorie | sujet d'aide | type de ticket | type de demande | "
    "categoría | tipo de incidencia | tipo de ticket | tipo de solicitud | tipo | "
    "categoria | tipo di segnalazione | tipo segnalazione | tipo di ticket | tipo ticket | tipo di richiesta | "
    "tipo de item | tipo do item | tipo de chamado | "
    "categorie | issuetype | type issue | soort"
)
_CHANNEL = (
    "channel | ticket channel | source | via | via channel | submitted via | case origin | origin | source type | "
    "source.type | create article type | contact type | kanal | quelle | canal | origine | origen | canale | origem | "
    "kanaal"
)
_REQUESTER = (
    "requester email | requester.email | requester id | requester | customer email | customer.email | "
    "primary customer.email | contact email | contact: email | from email | supplied email | web email | "
    "reporter.email address | reporter.email | source.author.email | author.email | recipient.handle | "
    "contact handle | customer id | contact id | contact.id | caller id | caller | opened for | "
    "relationships.customer.data.id | customer.id | source.author.id | email | email address | reporter | "
    "reporter.account id | reporter.name | user.login | author username | author.username | author | customer | "
    "associated contact | associated contact email | customer user id | customer user | raised by | "
    "melder | ersteller | autor | kunde | kundennummer | e-mail-adresse | anfragesteller | kunden-id | "
    "rapporteur | demandeur | auteur | client | adresse e-mail | créateur | "
    "informador | solicitante | cliente | correo electrónico | correo | autor del informe | creador | "
    "segnalatore | richiedente | autore | relatore | "
    "relator | criador | id do cliente | cliente id | e-mail do cliente | e-mail do solicitante | "
    "melder van issue | aanvrager | klant | klantnummer | indiener | auteur van issue"
)
_GROUP = (
    "group | ticket group | group name | team | team name | assignment group | assigned group | queue | "
    "support group | "
    "workgroup | org:group | department | inbox | mailbox | team assigned | assigned teams | "
    "gruppe | warteschlange | abteilung | groupe | équipe | grupo | equipo | cola | departamento | gruppo | "
    "coda | reparto | equipe | fila | groep | wachtrij | afdeling"
)
_CREATED = (
    "created at | created | created time | created date | create date | date created | created datetime | createdate | "
    "creation date | ticket created - timestamp | ticket created - date | opened at | opened | date opened | "
    "date/time opened | opened date | opened datetime | date received | open date | open time | opened time | "
    "reported date | reported at | reported time | reported on | reported | registered at | registered on | "
    "submitted at | submitted on | submitted date | submit date | received at | raised at | raised on | logged at | "
    "log date | conversation created at | conversation started at | started at | sys created on | "
    "erstellt | erstellt am | erstellungsdatum | erstelldatum | erstellzeit | angelegt am | eröffnet am | eröffnet | "
    "gemeldet am | gemeldet | geöffnet am | "
    "création | créé | créée | créé le | date de création | ouvert le | date d'ouverture | ouverture | signalé le | "
    "creada | creado | creado el | creada el | fecha de creación | abierto el | fecha de apertura | apertura | "
    "creata | creato | creato il | data creazione | data di creazione | aperto il | data apertura | data di apertura | "
    "criado | criada | criado em | data de criação | aberto em | data de abertura | abertura | "
    "aangemaakt | aangemaakt op | aanmaakdatum | gemaakt | geopend op | openingsdatum | gemeld op | date"
)
_FIRST_REPLY = (
    "first reply at | first response at | first responded at | first reply date | first response date | "
    "initial response time | first response time | first reply time | first response | first agent reply date | "
    "first agent email response date | first agent reply at | statistics.first admin reply at | "
    "statistics.first contact reply at | first response.created at | first replied at | first answered at | "
    "time to first response | erste antwort | erste antwort am | erstantwort | erste reaktion | "
    "première réponse | première réponse le | date de première réponse | "
    "primera respuesta | fecha de primera respuesta | prima risposta | data prima risposta | "
    "primeira resposta | data da primeira resposta | eerste reactie | eerste antwoord"
)
_SOLVED = (
    "solved at | resolved at | solved | resolved | resolved time | resolved date | date resolved | "
    "date/time resolved | "
    "resolved on | resolution date | resolution at | resolved datetime | solved time | solved date | solution date | "
    "ticket solved - timestamp | ticket solved - date | fixed at | completed at | completed on | completion date | "
    "last done.created at | time to resolution | resolution time | "
    "gelöst | gelöst am | erledigt am | erledigt | lösungsdatum | lösungszeit | behoben am | abgeschlossen am | "
    "résolu | résolue | résolu le | date de résolution | résolution le | "
    "resuelta | resuelto | resuelto el | fecha de resolución | solucionado el | fecha de solución | "
    "risolto | risolta | risolto il | data risoluzione | data di risoluzione | "
    "resolvido | resolvida | resolvido em | data de resolução | data da resolução | solucionado em | "
    "opgelost | opgelost op | oplosdatum | datum opgelost | afgehandeld op"
)
_CLOSED = (
    "closed at | closed time | closed date | close date | date closed | date/time closed | close time | close at | "
    "closed on | closed datetime | closing date | last close at | statistics.last close at | hs_closed_date | closed | "
    "conversation closed at | last closed at | ended at | end date | ticket closed - date | "
    "ticket closed - timestamp | "
    "geschlossen | geschlossen am | schließdatum | schließzeit | abschlussdatum | "
    "fermé | fermé le | clôturé le | date de fermeture | date de clôture | clôture | fermeture | clos le | "
    "cerrado | cerrada | cerrado el | fecha de cierre | cierre | "
    "chiuso | chiuso il | data chiusura | data di chiusura | chiusura | "
    "fechado | fechada | fechado em | data de fechamento | fechamento | encerrado em | data de encerramento | "
    "gesloten | gesloten op | sluitingsdatum | datum gesloten"
)
_UPDATED = (
    "updated at | updated | updated time | updated date | last updated | last updated at | updated datetime | "
    "last update time | last update | last modified | last modified date | last modified at | modified time | "
    "modified date | modified | hs_lastmodifieddate | case last modified date | user updated at | system modstamp | "
    "ticket updated - timestamp | ticket updated - date | change date+time | change time | changed | changed at | "
    "sys updated on | complete timestamp | completion timestamp | event timestamp | event time | time:timestamp | "
    "timestamp | "
    "aktualisiert | aktualisiert am | geändert | geändert am | zuletzt geändert | zuletzt aktualisiert | "
    "letzte änderung | änderungsdatum | "
    "mise à jour | mis à jour | mis à jour le | date de mise à jour | dernière mise à jour | modifié le | "
    "date de modification | dernière modification | "
    "actualizada | actualizado | actualizado el | fecha de actualización | última actualización | modificado | "
    "modificado el | fecha de modificación | última modificación | "
    "aggiornata | aggiornato | aggiornato il | ultimo aggiornamento | data aggiornamento | modificato il | "
    "ultima modifica | data di modifica | "
    "atualizado | atualizada | atualizado em | data de atualização | última atualização | modificado em | alterado | "
    "última modificação | "
    "bijgewerkt | bijgewerkt op | laatst bijgewerkt | gewijzigd | gewijzigd op | laatst gewijzigd"
)

TICKETS = {
    "ticket_id": _TICKET_ID,
    "external_id": "external id",
    "status": _STATUS,
    "priority": _PRIORITY,
    "category": _CATEGORY,
    "channel": _CHANNEL,
    "product": "product | product name",
    "requester": _REQUESTER,
    "group_name": _GROUP,
    "created_at": _CREATED,
    "first_reply_at": _FIRST_REPLY,
    "solved_at": _SOLVED,
    "closed_at": _CLOSED,
    "updated_at": _UPDATED,
    "first_reply_minutes": "first reply time in minutes | first reply time (min) | first reply time (minutes) | "
    "first response time in minutes | first response time (min) | first response time (minutes) | "
    "first response in min",
    "first_reply_hours": "first reply time (hours) | first reply time (hrs) | first reply time (in hrs) | "
    "first response time (hours) | first response time (hrs) | first response time (in hrs) | first response hours | "
    "time to first agent email reply (hh:mm:ss) | time to first reply (hours)",
    "first_reply_seconds": "statistics.time to admin reply | first reply time (seconds) | "
    "first response time (seconds) | first response time (sec) | time to first response (seconds)",
    "resolution_minutes": "full resolution time in minutes | full resolution time (min) | "
    "full resolution time (minutes) | resolution time in minutes | resolution time (min) | "
    "resolution time (minutes) | resolution minutes | solution in min | minutes to resolution",
    "resolution_hours": "full resolution time (hours) | full resolution time (hrs) | resolution time (hours) | "
    "resolution time (hrs) | resolution time (in hrs) | resolution time (h) | resolution hours | hours to resolution | "
    "time to resolution (hours) | time to resolution (hrs) | time to close (hh:mm:ss) | time to close (hours)",
    "resolution_seconds": "resolution time (seconds) | resolution time (sec) | time to resolution (seconds) | "
    "time to close (seconds) | statistics.time to last close",
    "reopens": "reopens | reopen count | reopened count | count reopens | statistics.count reopens | reopenings",
    "handoffs": "handoffs | reassignment count | reassignments | # reassignments | number of reassignments",
    "replies": "replies | agent replies | agent interactions",
    "csat": "satisfaction score | satisfaction rating | csat score | customer satisfaction rating | "
    "conversation rating.rating | satisfaction survey.score",
    "is_deleted": "is deleted | trashed datetime | trashed at | deleted at",
    "is_spam": "is spam | spam",
    "is_merged": "is merged | merged",
    "merged_into": "merged into | merged into id | merged into ticket | merged to | merge target | "
    "merged into ticket id | master record id",
    "tags": "tags | ticket tags",
}
"""Our field -> its names."""

RECORD_WORDS = frozenset(
    ("conversation", "ticket", "tickets", "case", "record", "thread", "email", "chat", "phone", "messenger")
)
"""Words in a column `type` that say what every row is, or how it came in, and not what it is about."""

STATUS_CODES: dict[str, dict[str, str]] = {
    "hspipelinestage": {"1": "new", "2": "waiting on contact", "3": "waiting on us", "4": "closed"},
    "incidentstate": INCIDENT_CODES,
    "incidentstatevalue": INCIDENT_CODES,
}
"""Name of a status column in lower-case letters -> its codes, where every installation starts with the same."""
