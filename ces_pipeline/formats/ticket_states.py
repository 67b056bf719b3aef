"""What the status words of help desks mean: open, solved, merged … The words of the seven shipped languages, as data.

The states of each list are those that help desks, issue trackers and service desks write. To teach a word, add it here.
"""

import re

from ces_pipeline.folding import fold

_OPEN = (
    "new", "open", "opened", "re-opened", "reopened", "re-open", "reopen", "active", "created", "submitted", "received",
    "registered", "logged", "assigned", "unassigned", "accepted", "acknowledged", "queued", "triage", "in triage",
    "triaged", "to do", "todo", "to-do", "backlog", "selected for development", "in progress", "in process",
    "work in progress", "wip", "working", "started", "processing", "being processed", "in review", "under review",
    "under investigation", "investigating", "in analysis", "escalated", "waiting for support", "waiting on us",
    "waiting on support", "awaiting support", "awaiting agent", "awaiting agent reply", "awaiting assignment",
    "customer replied", "customer responded", "not resolved", "unresolved", "unsolved", "not solved",
    "not closed",
    "neu", "offen", "in behandlung", "geöffnet", "wieder geöffnet", "wiedereröffnet", "erneut geöffnet", "zugewiesen",
    "in bearbeitung",
    "in arbeit", "zu erledigen", "eskaliert", "ungelöst", "aktiv", "wartet auf support",
    "nouveau", "nouvelle", "ouvert", "ouverte", "rouvert", "réouvert", "en cours", "en cours de traitement", "attribué",
    "assigné", "à faire", "non résolu", "escaladé", "actif", "en attente du support",
    "nuevo", "nueva", "abierto", "abierta", "reabierto", "reabierta", "asignado", "asignada", "en curso", "en progreso",
    "en proceso", "por hacer", "tareas por hacer", "sin resolver", "escalado", "activo", "esperando asistencia",
    "nuovo", "nuova", "aperto", "aperta", "riaperto", "riaperta", "assegnato", "assegnata", "in corso",
    "in lavorazione",
    "da fare", "da completare", "non risolto", "attivo",
    "novo", "nova", "aberto", "aberta", "reaberto", "reaberta", "atribuído", "atribuída", "em andamento", "em curso",
    "em progresso", "em atendimento", "em processamento", "a fazer", "tarefas pendentes", "não resolvido", "ativo",
    "aguardando suporte", "aguardando atendimento", "itens pendentes",
    "nieuw", "open gezet", "geopend", "heropend", "toegewezen", "in behandeling", "in uitvoering", "bezig", "te doen",
    "niet opgelost", "onopgelost", "actief", "wacht op ondersteuning",
)  # fmt: skip
_PENDING = (
    "pending", "pending reminder", "pending close", "pending auto close", "pending auto close+", "pending auto close-",
    "pending customer", "waiting", "waiting for customer", "waiting on customer", "waiting on contact",
    "waiting for contact", "waiting on third party", "waiting for third party", "waiting for vendor",
    "waiting for approval", "waiting on vendor", "awaiting", "awaiting reply", "awaiting response", "awaiting customer",
    "awaiting customer reply", "awaiting customer response", "awaiting user info", "awaiting user", "awaiting caller",
    "awaiting evidence", "awaiting vendor", "awaiting problem", "awaiting change", "awaiting approval", "awaiting info",
    "on hold", "on-hold", "hold", "onhold", "held", "blocked", "snoozed", "paused", "suspended", "deferred",
    "postponed",
    "customer action required", "needs info", "more information needed", "responded", "answered", "agent replied",
    "wartend", "beantwortet", "ausstehend", "in wartestellung", "zurückgestellt", "angehalten", "wartet auf kunde",
    "wartet auf kunden",
    "warten auf kunde", "warten auf kunden", "warten auf erinnerung", "wartet", "pausiert", "blockiert",
    "warten auf schließen", "warten zur erinnerung", "warten auf automatisches schließen", "anstehend",
    "en attente", "en attente du client", "en suspens", "suspendu", "en pause", "bloqué", "en attente de rappel",
    "en attente de clôture", "en attente client",
    "pendiente", "en espera", "esperando", "esperando al cliente", "a la espera", "suspendido", "pausado", "bloqueado",
    "pendiente de recordatorio", "esperando respuesta", "en espera del cliente", "esperando por el cliente",
    "in attesa", "in sospeso", "sospeso", "in attesa del cliente", "in attesa di promemoria", "bloccato", "in pausa",
    "pendente", "em espera", "aguardando", "aguardando cliente", "aguardando o cliente", "aguardando resposta",
    "lembrete de pendente", "lembrete pendente", "pendente com lembrete", "pendente lembrete",
    "pendente de fechamento automático", "pendente auto fechamento", "pendente auto fechado+", "pendente auto fechado-",
    "suspenso", "pausado pelo cliente", "aguardando pelo cliente",
    "in de wacht", "wachtend", "wacht op klant", "wachten op klant", "in wacht", "opgeschort", "gepauzeerd",
    "geblokkeerd", "wachtend op herinnering",
)  # fmt: skip
_SOLVED = (
    "solved", "resolved", "done", "fixed", "complete", "completed", "fulfilled", "finished",
    "gelöst", "erledigt", "behoben", "fertig", "abgeschlossen",
    "résolu", "résolue", "terminé", "terminée", "traité", "traitée", "corrigé",
    "resuelto", "resuelta", "solucionado", "solucionada", "terminado", "terminada", "finalizado", "finalizada",
    "completado", "hecho", "listo",
    "risolto", "risolta", "completato", "completata", "terminato", "fatto", "evaso",
    "resolvido", "resolvida", "solucionado", "concluído", "concluída", "concluido", "finalizado", "feito",
    "itens concluídos",
    "opgelost", "afgerond", "voltooid", "gereed", "klaar", "afgehandeld",
)  # fmt: skip
_CLOSED = (
    "closed", "close", "auto-closed", "auto closed", "autoclosed", "closed complete", "closed incomplete",
    "closed skipped", "closed/skipped", "closed successful", "closed unsuccessful", "closed with workaround",
    "closed without response", "archived", "cancelled", "canceled", "rejected", "declined", "withdrawn", "abandoned",
    "won't do", "wont do", "won't fix", "wontfix", "not planned", "expired", "ended", "inactive",
    "geschlossen", "erfolgreich geschlossen", "erfolglos geschlossen", "storniert", "abgebrochen", "abgelehnt",
    "archiviert", "abgebrochen durch kunde",
    "fermé", "fermée", "clos", "close par le client", "clôturé", "clôturée", "fermé avec succès", "clos avec succès",
    "annulé", "annulée", "rejeté", "refusé", "archivé",
    "cerrado", "cerrada", "cerrado con éxito", "cerrado sin éxito", "cancelado", "cancelada", "anulado", "rechazado",
    "archivado",
    "chiuso", "chiusa", "chiuso con successo", "chiuso senza successo", "annullato", "annullata", "rifiutato",
    "archiviato",
    "fechado", "fechada", "fechado com êxito", "fechado sem êxito", "fechado com sucesso", "fechado sem sucesso",
    "fechado com solução de contorno", "encerrado", "encerrada", "rejeitado", "recusado", "arquivado",
    "gesloten", "succesvol gesloten", "niet succesvol gesloten", "geannuleerd", "afgewezen", "gearchiveerd",
)  # fmt: skip
_MERGED = (
    "merged", "merge", "duplicate", "duplicated", "closed by merge", "closed_by_merge",
    "zusammengeführt", "zusammengefasst", "duplikat", "dublette",
    "fusionné", "fusionnée", "doublon",
    "fusionado", "fusionada", "combinado", "combinada", "duplicado", "duplicada",
    "unito", "unita", "unificato", "fuso", "duplicato",
    "agrupado", "agrupada", "mesclado", "mesclada", "unificado", "fundido",
    "samengevoegd", "duplicaat",
)  # fmt: skip
_SPAM = (
    "spam",
    "junk",
    "spam ticket",
    "marked as spam",
    "correo no deseado",
    "pourriel",
    "indésirable",
    "ongewenst",
)
_DELETED = (
    "deleted", "removed", "trash", "trashed", "in trash", "invisible", "scrubbed", "redacted",
    "gelöscht", "entfernt", "papierkorb", "supprimé", "supprimée", "eliminado", "eliminada", "borrado", "borrada",
    "eliminato", "eliminata", "cancellato", "rimosso", "excluído", "excluída", "removido", "removida", "apagado",
    "verwijderd",
)  # fmt: skip

TICKET_STATES: dict[str, str] = {
    fold(word): state
    for state, words in {
        "open": _OPEN,
        "pending": _PENDING,
        "solved": _SOLVED,
        "closed": _CLOSED,
        "merged": _MERGED,
        "spam": _SPAM,
        "deleted": _DELETED,
    }.items()
    for word in words
}
"""Status word -> what it means: one of the states below."""

RESOLVED = frozenset(("solved", "closed"))
"""The states of a ticket that is resolved."""

NO_CASE = frozenset(("merged", "spam", "deleted"))
"""The states of a ticket that is no case of its own."""

INCIDENT_CODES = {
    "1": "new",
    "2": "in progress",
    "3": "on hold",
    "6": "resolved",
    "7": "closed",
    "8": "canceled",
}
"""ServiceNow's code of an incident's state -> the word that its own forms show."""

_NUMBER = re.compile(r"^\(?\d+\)?\s*[-.:)]?\s+|^\d+\s*[-.:)]\s*")
_PARTS = re.compile(r"\s+[-–—:/|>]+\s+|\s*[:/|;,(]\s*|\)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def ticket_state(text: str | None) -> str | None:
    """What a status means; None for a blank and for a word that no list knows.

    A number before the word (`6 - Resolved`) and a remark after it (`Closed - no answer`) are left out, unless the
    remark is a status of another meaning (`Closed - Pending`): then its meaning is not known.
    """
    if not text or not text.strip():
        return None
    word = fold(_NUMBER.sub("", text.strip()))
    for spelling in (word, word.replace("_", " ").replace("-", " "), fold(_CAMEL.sub(" ", text.strip()))):
        if found := TICKET_STATES.get(fold(spelling)):
            return found
    first, *remarks = [part for part in map(fold, _PARTS.split(word)) if part] or [""]
    state = TICKET_STATES.get(first)
    meant = {TICKET_STATES[remark] for remark in remarks if remark in TICKET_STATES}
    if state is None or not meant <= {state} | (RESOLVED if state in RESOLVED else set()) | NO_CASE:
        return None
    return next(iter(sorted(meant & NO_CASE)), state)
