"""Reads flags and statuses: what a cell's word means, in the languages that ship. One parser for every step."""

from collections.abc import Mapping

from ces_pipeline.folding import fold

_TRUE = (
    "true", "t", "yes", "y", "1", "1.0", "on", "x", "checked",
    "wahr", "ja", "j", "vrai", "oui", "o", "verdadero", "sí", "si", "s", "vero", "sì", "verdadeiro", "sim", "waar",
)  # fmt: skip
_FALSE = (
    "false", "f", "no", "n", "0", "0.0", "off", "unchecked",
    "falsch", "nein", "faux", "non", "falso", "não", "nao", "onwaar", "nee",
)  # fmt: skip
_FINISHED = (
    "complete", "completed", "finished", "submitted", "done", "full",
    "vollständig", "abgeschlossen", "beendet", "terminé", "complet", "achevé", "completado", "completo", "terminado",
    "completato", "concluído", "voltooid", "afgerond",
)  # fmt: skip
_UNFINISHED = (
    "partial", "partially completed", "incomplete", "unfinished", "in progress", "started", "disqualified", "abandoned",
    "unvollständig", "abgebrochen", "teilweise", "in bearbeitung", "incomplet", "partiel", "en cours", "incompleto",
    "parcial", "en curso", "parziale", "em andamento", "onvolledig", "gedeeltelijk",
)  # fmt: skip
_DELETED = (
    "deleted",
    "removed",
    "gelöscht",
    "supprimé",
    "eliminado",
    "borrado",
    "eliminato",
    "excluído",
    "verwijderd",
)
_KEPT = ("active", "not deleted", "aktiv", "actif", "activo", "attivo", "ativo", "actief")
_TEST = (
    "test", "testing", "survey test", "test response", "preview", "survey preview", "survey preview spam", "spam",
    "imported spam", "offline survey preview", "staff", "demo",
    "vorschau", "umfragevorschau", "umfragetest", "testantwort", "aperçu", "aperçu de l'enquête", "vista previa",
    "vista previa de la encuesta", "prueba", "anteprima", "anteprima sondaggio", "prova", "pré-visualização", "teste",
    "voorbeeld", "enquêtevoorbeeld",
)  # fmt: skip
_NORMAL = (
    "normal", "ip address", "imported", "offline", "live", "valid", "new", "ok", "published", "open", "closed",
    "responded", "answered", "approved", "ip-adresse", "adresse ip", "dirección ip", "indirizzo ip", "endereço ip",
    "ip-adres", "importiert", "importé", "importado", "importato", "geïmporteerd",
)  # fmt: skip


def _words(**meanings: tuple[str, ...]) -> dict[str, str]:
    return {fold(word): meaning for meaning, words in meanings.items() for word in words}


FINISHED: dict[str, str] = _words(true=(*_TRUE, *_FINISHED), false=(*_FALSE, *_UNFINISHED))
"""Word -> whether the survey was finished, `true` or `false`."""

DELETED: dict[str, str] = _words(true=(*_TRUE, *_DELETED), false=(*_FALSE, *_KEPT))
"""Word -> whether the ticket was deleted, `true` or `false`."""

FLAG: dict[str, str] = _words(true=_TRUE, false=_FALSE)
"""Word of a plain flag -> `true` or `false`."""

RESPONSE_STATUS: dict[str, str] = _words(test=_TEST, normal=(*_NORMAL, *_FINISHED, *_UNFINISHED))
"""Word -> `test` (preview, test, spam or staff) or `normal`."""


def read_word(text: str | None, words: Mapping[str, str]) -> str | None:
    """What a word means by one of the lists of this module; None for a blank and for a word that is in no list."""
    return words.get(fold(text)) if text else None
