"""Words in columns of people that mean no person, in the languages that ship."""

from ces_pipeline.folding import fold

_WORDS = (
    "anonymous", "anonymous user", "anonymous respondent", "anon", "guest", "guest user", "visitor", "unknown",
    "unknown user", "none", "nobody", "no one", "no email", "no e-mail", "no address", "not given", "not provided",
    "not specified", "not available", "not applicable", "not set", "blank", "(blank)", "empty", "(empty)", "(none)",
    "undefined", "null", "(null)", "nil", "n/a", "na", "n.a.", "#n/a", "-", "--", "---", ".", "?", "withheld", "hidden",
    "redacted", "[redacted]", "deleted user", "missing", "tbd",
    "anonym", "anonymer benutzer", "gast", "unbekannt", "keine", "keiner", "niemand", "nicht angegeben", "keine angabe",
    "k. a.", "k.a.", "ka", "ohne angabe", "nicht bekannt", "nicht verfügbar", "keine e-mail", "leer", "(leer)",
    "anonyme", "utilisateur anonyme", "invité", "visiteur", "inconnu", "inconnue", "aucun", "aucune", "personne",
    "non renseigné", "non renseignée", "non communiqué", "non spécifié", "non précisé", "vide", "(vide)", "s. o.",
    "s.o.",
    "anónimo", "anónima", "usuario anónimo", "invitado", "visitante", "desconocido", "desconocida", "ninguno",
    "ninguna", "nadie", "no indicado", "no especificado", "no disponible", "no facilitado", "sin especificar",
    "sin correo", "sin datos", "vacío", "(en blanco)", "en blanco",
    "anonimo", "anonima", "utente anonimo", "ospite", "visitatore", "sconosciuto", "sconosciuta", "nessuno", "nessuna",
    "non indicato", "non specificato", "non disponibile", "non fornito", "vuoto", "(vuoto)", "n.d.", "n/d", "nd",
    "anônimo", "anônima", "usuário anônimo", "convidado", "desconhecido", "desconhecida", "ninguém", "nenhum",
    "nenhuma",
    "não informado", "não informada", "não especificado", "não disponível", "sem e-mail", "vazio", "(vazio)",
    "em branco", "(em branco)",
    "anoniem", "anonieme gebruiker", "gast gebruiker", "bezoeker", "onbekend", "geen", "niemand", "niet opgegeven",
    "niet ingevuld", "niet bekend", "niet beschikbaar", "leeg", "(leeg)", "n.v.t.", "nvt",
)  # fmt: skip
_NO_PERSON = frozenset(map(fold, _WORDS))
_SENDERS = ("noreply", "donotreply", "nobody", "anonymous", "nepasrepondre", "nichtantworten", "noresponder")


def means_no_person(cell: str) -> bool:
    """Whether a cell of a column of people means no person: one of the words, or an address that takes no answer."""
    local, at, _ = cell.strip().lower().partition("@")
    if at:
        return local.replace("-", "").replace("_", "").replace(".", "") in _SENDERS
    return fold(cell) in _NO_PERSON
