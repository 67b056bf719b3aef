"""The words by which the name of a column, or of a JSON member, is recognised as naming a person. Data only.

`names.py` says how the lists are used. To teach it a word, add the word here: in lower case, without accents, and with
`ss` for `ß`. A table is language -> words, separated by blanks. The words of all languages count for every source.
"""

PERSON = {
    "English": (
        "email emails mail phone telephone tel fax ip address addr street latitude longitude caller agent assignee "
        "assignees requester requestor submitter recipient recipients reporter respondent participant surname "
        "username firstname lastname fullname nickname ipaddress emailaddress phonenumber userid cc bcc ccs "
        "collaborator collaborators follower followers responder lat lng geolocation birthdate dob ssn passport "
        "iban avatar"
    ),
    "German": (
        "vorname nachname familienname kundenname kundennummer ansprechpartner bearbeiter benutzername nutzername "
        "telefon telefonnummer handynummer mobilnummer anschrift adresse strasse"
    ),
    "French": "prenom courriel adresse",
    "Spanish": "apellido apellidos correo telefono celular direccion",
    "Italian": "cognome telefono cellulare indirizzo",
    "Portuguese": "sobrenome telefone celular endereco",
    "Dutch": "voornaam achternaam telefoon telefoonnummer klantnummer adres straat",
}
"""A name with one of these words is a person's."""

BIRTH = {
    "English": "birth birthday",
    "German": "geburtsdatum geburtstag",
    "French": "naissance",
    "Spanish": "nacimiento",
    "Italian": "nascita",
    "Portuguese": "nascimento",
    "Dutch": "geboortedatum",
}
"""A name with one of these words is a person's, also next to a word of OTHER_TOPICS (`date of birth`)."""

PERSON_IF_ALONE = {
    "English": (
        "name mobile user customer client employee contact author owner visitor person staff actor sender operator "
        "manager supervisor rep member guest subscriber patient"
    ),
    "German": "kunde benutzer mitarbeiter",
    "French": "client nom",
    "Spanish": "cliente usuario nombre",
    "Italian": "cliente utente nome",
    "Portuguese": "cliente nome",
    "Dutch": "klant gebruiker naam",
}
"""A name that is one of these words, and no other word, is a person's."""

NAME = {
    "English": "name names",
    "French": "nom noms",
    "Spanish": "nombre",
    "Italian": "nome",
    "Portuguese": "nome",
    "Dutch": "naam",
}
"""With a word of NAME_OF a person's name (`customer name`); with other words not (`product name`)."""

NAME_OF = {
    "English": (
        "first last full middle maiden family given sur nick display login user customer client contact caller "
        "requester requestor respondent participant agent employee recipient submitter assignee author owner person "
        "member guest visitor staff responder reporter your actor sender operator manager supervisor rep patient "
        "subscriber"
    ),
    "German": "kunde",
    "French": "famille client",
    "Spanish": "cliente usuario",
    "Italian": "cliente utente",
    "Portuguese": "cliente",
    "Dutch": "klant",
}

IDENTIFIER_OF = {
    "English": (
        "user customer client contact employee person member visitor author device cookie session owner panelist "
        "subscriber network staff guest actor sender operator manager supervisor rep patient card twitter facebook "
        "linkedin instagram whatsapp telegram skype"
    ),
    "German": "kunde",
    "French": "client",
    "Spanish": "cliente usuario",
    "Italian": "cliente utente",
    "Portuguese": "cliente",
    "Dutch": "klant",
}
"""Directly before a word of IDENTIFIER, the id of a person (`user id`)."""

IDENTIFIER = {
    "English": "id ids key number no ref reference guid uuid handle profile",
    "German": "nummer",
    "Italian": "numero",
}

ACTION = {
    "English": "opened resolved closed created updated submitted answered handled modified raised solved requested",
}
"""Directly before `by`, the person who did it (`closed by`)."""

RESPONSIBLE = {"English": "owner manager rep representative supervisor"}
"""Directly after a word of RESPONSIBLE_FOR, a person (`account manager`; `home owner` is a survey's question)."""
RESPONSIBLE_FOR = {"English": "case ticket record account lead opportunity deal sales success support"}

MOBILE_NUMBER = {"English": "number phone no"}
"""Together with `mobile`, a person's number (`is_mobile_app` is not one)."""

OTHER_TOPICS = {
    "English": (
        "at time times minutes seconds hours days stations count date status type channel method config score rating "
        "language role team reason sent segment satisfaction effort experience ease wait duration model subject body "
        "template campaign group stats survey file product company brand verified consent interactions replies"
    ),
}
"""A name with one of these words is about something else than who the person is (`agent_wait_time`)."""

PAIRS = (("assigned", "to"), ("requested", "for"), ("reply", "to"))
"""Two words in a row that name a person."""

OTHER_PAIRS = (("user", "agent"),)
"""Two words in a row that look like a person and are none: a browser."""

QUESTION_PATTERNS = {
    "English": (
        "e-?mail[- ]add?ress?e?s?",
        "your e-?mail",
        r"your (?:\w+ )?names?",
        "(?:phone|telephone|mobile) numbers?",
        r"your (?:\w+ )?(?:phone|mobile|address)",
        "contact details",
    ),
    "German": (r"ihre?n? (?:\w+ )?name", "ihre e-?mail", "telefonnummer"),
    "French": (
        "votre (?:nom|prenom|e-?mail|adresse)",
        "adresse (?:e-?mail|electronique)",
        "numero de telephone",
    ),
    "Spanish": ("(?:su|tu) (?:nombre|correo|telefono)", "correo electronico"),
    "Italian": ("(?:il )?(?:suo|tuo) nome", "indirizzo e-?mail", "numero di telefono"),
    "Portuguese": ("(?:o )?seu (?:nome|e-?mail)", "endereco de e-?mail"),
    "Dutch": ("uw naam", "e-?mailadres"),
}
"""Regular expressions for questions that ask for a person's data. They match at word boundaries, in any case."""
