"""The words by which the name of a column, or of a JSON member, is recognised as naming a person. Data only.

`names.py` says how the lists are used. To teach it a word, add the word here: in lower case, without accents, and with
`ss` for `ß`. A table is language -> words, separated by blanks. The words of all languages count for every source.
"""

PERSON = {
    "English": (
        "email emails mail phone telephone tel fax ip address addr street latitude longitude caller agent "
        "assignee assignees requester requestor submitter recipient recipients reporter respondent "
        "participant surname username firstname lastname fullname nickname ipaddress emailaddress phonenumber "
        "userid cc bcc ccs collaborator collaborators follower followers responder lat lng geolocation "
        "birthdate dob ssn passport iban avatar agents callers requesters requestors reporters respondents "
        "participants watcher watchers watchlist submitters responders creator creators approver approvers "
        "prolific mturk mturkid panelist panelists panellist  samaccountname upn"
    ),
    "German": (
        "vorname nachname familienname kundenname kundennummer ansprechpartner bearbeiter benutzername "
        "nutzername telefon telefonnummer handynummer mobilnummer anschrift adresse strasse agenten "
        "sachbearbeiter ersteller melder anforderer antragsteller teilnehmer teilnehmerin empfanger absender "
        "kontaktperson anrufer beobachter betreuer befragter anmeldename loginname benutzerkennung "
        "personalnummer mitarbeiternummer kundennr benutzerkonto profilbild benutzerbild eigentumer besitzer"
    ),
    "French": (
        "prenom courriel adresse demandeur demandeurs destinataire destinataires expediteur createur "
        "proprietaire observateur observateurs participants appelant interlocuteur repondant identifiant"
    ),
    "Spanish": (
        "apellido apellidos correo telefono celular direccion agente agentes solicitante destinatario "
        "destinatarios remitente creador propietario observador observadores participante participantes "
        "encuestado llamante"
    ),
    "Italian": (
        "cognome telefono cellulare indirizzo agente agenti richiedente destinatario destinatari mittente "
        "creatore proprietario osservatore osservatori partecipante partecipanti intervistato"
    ),
    "Portuguese": (
        "sobrenome telefone celular endereco agente agentes solicitante destinatario destinatarios remetente "
        "criador proprietario observador observadores participante participantes atendente entrevistado"
    ),
    "Dutch": (
        "voornaam achternaam telefoon telefoonnummer klantnummer adres straat agenten aanvrager ontvanger "
        "ontvangers afzender eigenaar behandelaar deelnemer deelnemers volgers waarnemer waarnemers "
        "contactpersoon melder gebruikersnaam inlognaam profielfoto"
    ),
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
        "name mobile user customer client employee contact author owner visitor person staff actor sender "
        "operator manager supervisor rep member guest subscriber patient users customers clients employees "
        "contacts authors owners visitors persons people members guests operators managers from to login "
        "logon photo picture pid uid rid psid panelid workerid prolificid names"
    ),
    "German": (
        "kunde benutzer mitarbeiter kunden nutzer kontakt autor verantwortlicher verantwortlich zustandig "
        "kennung bild von "
        "foto"
    ),
    "French": (
        "client nom clients utilisateur utilisateurs contact contacts auteur responsable employe salarie "
        "conseiller de photo noms"
    ),
    "Spanish": (
        "cliente usuario nombre clientes usuarios contacto contactos autor responsable empleado asesor de "
        "para foto nombres"
    ),
    "Italian": (
        "cliente utente nome clienti utenti contatto contatti autore responsabile dipendente operatore da "
        "foto"
    ),
    "Portuguese": (
        "cliente nome clientes usuarios utilizador contato contacto autor responsavel funcionario de para "
        "foto"
    ),
    "Dutch": (
        "klant gebruiker naam klanten gebruikers contact auteur verantwoordelijke medewerker van aan foto"
    ),
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
        "first last full middle maiden family given sur nick display login user customer client contact "
        "caller requester requestor respondent participant agent employee recipient submitter assignee author "
        "owner person member guest visitor staff responder reporter your actor sender operator manager "
        "supervisor rep patient subscriber from worker watcher creator approver affected impacted"
    ),
    "German": "kunde",
    "French": "famille client utilisateur agent auteur contact demandeur",
    "Spanish": "cliente usuario contacto agente autor",
    "Italian": "cliente utente",
    "Portuguese": "cliente usuario utilizador contato agente",
    "Dutch": "klant contact",
}

IDENTIFIER_OF = {
    "English": (
        "user customer client contact employee person member visitor author device cookie session owner "
        "panelist subscriber network staff guest actor sender operator manager supervisor rep patient card "
        "twitter facebook linkedin instagram whatsapp telegram skype worker panel login logon sso amazon "
        "rater sona panellist profile"
    ),
    "German": "kunde panel benutzer",
    "French": "client utilisateur",
    "Spanish": "cliente usuario",
    "Italian": "cliente utente",
    "Portuguese": "cliente",
    "Dutch": "klant",
}
"""Directly before a word of IDENTIFIER, the id of a person (`user id`)."""

IDENTIFIER = {
    "English": (
        "id ids key number no ref reference guid uuid handle profile pid picture photo image icon login"
    ),
    "German": "nummer",
    "Italian": "numero",
}

ACTION = {
    "English": (
        "opened resolved closed created updated submitted answered handled modified raised solved requested "
        "reported assigned changed edited reopened deleted approved sent called written taken verified"
    ),
    "German": (
        "erstellt angelegt geschlossen geandert bearbeitet gelost aktualisiert beantwortet gemeldet "
        "zugewiesen eroffnet"
    ),
    "French": "cree ouvert ferme modifie resolu traite soumis demande",
    "Spanish": "creado abierto cerrado modificado resuelto actualizado enviado",
    "Italian": "creato aperto chiuso modificato risolto aggiornato inviato",
    "Portuguese": "criado aberto fechado modificado resolvido atualizado enviado",
    "Dutch": "aangemaakt geopend gesloten gewijzigd opgelost bijgewerkt gemeld",
}
"""Directly before a word of BY, the person who did it (`closed by`)."""

BY = {
    "English": "by",
    "German": "von durch",
    "French": "par",
    "Spanish": "por",
    "Italian": "da",
    "Portuguese": "por",
    "Dutch": "door",
}

RESPONSIBLE = {"English": "owner manager rep representative supervisor"}
"""Directly after a word of RESPONSIBLE_FOR, a person (`account manager`; `home owner` is a survey's question)."""
RESPONSIBLE_FOR = {"English": "case ticket record account lead opportunity deal sales success support"}

MOBILE_NUMBER = {"English": "number phone no"}
"""Together with `mobile`, a person's number (`is_mobile_app` is not one)."""

OTHER_TOPICS = {
    "English": (
        "at time times minutes seconds hours days stations count date status type channel method config score rating "
        "language role team reason sent segment satisfaction effort experience ease wait duration model subject body "
        "template campaign group stats survey file product company brand verified consent interactions replies "
        "rate knowledge helpfulness"
    ),
    "German": (
        "zeit typ anzahl datum dauer kanal sprache gruppe wertung bewertung zufriedenheit grund antwortzeit "
        "wartezeit antworten"
    ),
    "French": "temps duree canal langue groupe equipe reponses",
    "Spanish": "tiempo tipo fecha duracion idioma grupo equipo satisfaccion respuestas",
    "Italian": "tempo durata canale lingua gruppo soddisfazione risposte",
    "Portuguese": "tempo duracao idioma grupo satisfacao respostas",
    "Dutch": "tijd aantal duur kanaal taal groep tevredenheid antwoorden",
}
"""A name with one of these words is about something else than who the person is (`agent_wait_time`)."""

PAIRS = (
    *(("assigned", "to"), ("requested", "for"), ("reply", "to"), ("watch", "list"), ("assignee", "list")),
    *(("affected", "user"), ("affected", "users"), ("impacted", "users"), ("impacted", "user")),
    *(
        ("on", "behalf"),
        ("user", "principal"),
        ("sona", "id"),
        ("gc", "id"),
        ("picture", "url"),
        ("photo", "url"),
        ("assigned", "user"),
    ),
    *(
        ("zugewiesen", "an"),
        ("betroffener", "benutzer"),
        ("betroffene", "benutzer"),
        ("betroffener", "nutzer"),
    ),
    *(("betroffene", "nutzer"), ("assigne", "a"), ("utilisateur", "affecte"), ("utilisateurs", "affectes")),
    *(("utilisateur", "concerne"), ("utilisateurs", "concernes"), ("asignado", "a"), ("usuario", "afectado")),
    *(("usuarios", "afectados"), ("assegnato", "a"), ("utente", "interessato"), ("utenti", "interessati")),
    *(("atribuido", "a"), ("usuario", "afetado"), ("usuarios", "afetados"), ("toegewezen", "aan")),
    *(
        ("betrokken", "gebruiker"),
        ("betrokken", "gebruikers"),
        ("getroffen", "gebruiker"),
        ("getroffen", "gebruikers"),
    ),
)
"""Two words in a row that name a person."""

NAMELESS = {
    "English": (
        "phone telephone tel fax mobile ip address addr street city location latitude longitude lat lng "
        "geolocation place birthdate birth birthday dob ssn passport iban id ids key guid uuid avatar picture "
        "photo url image device cookie session company account card number"
    ),
    "German": (
        "telefon telefonnummer handynummer mobilnummer anschrift adresse strasse geburtsdatum geburtstag ort "
        "kundennummer bild"
    ),
    "French": "adresse naissance telephone ville",
    "Spanish": "telefono celular direccion nacimiento ciudad",
    "Italian": "telefono cellulare indirizzo nascita citta",
    "Portuguese": "telefone celular endereco nascimento cidade",
    "Dutch": "telefoon telefoonnummer adres straat geboortedatum klantnummer plaats",
}
"""A column of people with one of these words holds no names: its words are not looked for in comments."""

PICTURE = {
    "English": "picture photo image avatar",
    "German": "bild foto",
    "French": "photo image",
    "Spanish": "foto imagen",
    "Italian": "foto immagine",
    "Portuguese": "foto imagem",
    "Dutch": "foto afbeelding",
}
PICTURE_OF = {
    "English": "profile user customer agent author contact requester respondent",
    "German": "profil benutzer kunde",
    "French": "profil utilisateur client",
    "Spanish": "perfil usuario cliente",
    "Italian": "profilo utente cliente",
    "Portuguese": "perfil usuario cliente",
    "Dutch": "profiel gebruiker klant",
}
"""A name with a word of PICTURE and one of PICTURE_OF is the address of a person's picture."""

PREFIXES = ("u", "cf", "custom", "x")
"""First words that a ticket system puts before the name of a customer's own column (`u_contact`)."""
SUFFIXES = ("value", "display")
"""Last words that an export puts after the name of a column with two cells (`u_contact.display_value`)."""

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
