"""The words by which names of people are found in comments. Data only; `known_names.py` says how they are used.

A table is language -> words in lower case, without accents, separated by blanks.
"""

TITLES = (
    *(
        "[Mm]rs?",
        "Ms",
        "MRS?",
        "Mx",
        "Miss",
        "[Dd]r",
        "Prof",
        "Professor",
        "Sir",
        "[Hh]errn?",
        "[Ff]rau",
        "Fräulein",
    ),
    *(
        "M(?=\\. )",
        "[Mm]me",
        "[Mm]lle",
        "[Mm]onsieur",
        "[Mm]adame",
        "[Mm]ademoiselle",
        "Sra?",
        "Srta",
        "[Ss]eñora?",
    ),
    *("[Ss]eñorita", "[Dd]oña", "Sig", "Sig\\.ra", "[Ss]ignora?", "[Ss]ignor", "Dott", "[Dd]ottoressa"),
    *("[Ss]enhora?", "[Ss]r\\.", "[Ss]ra\\.", "Dhr", "Mevr", "[Mm]eneer", "[Mm]evrouw", "[Dd]e heer"),
)
"""Regular expressions for titles; a capitalised word after one is a person's name."""

NO_NAMES_AFTER_TITLES = (
    *(
        "manager",
        "engineer",
        "director",
        "developer",
        "consultant",
        "agent",
        "advisor",
        "analyst",
        "officer",
        "doctor",
    ),
    *("the", "a", "and", "or", "und", "oder", "et", "y", "e", "en", "der", "die", "das"),
)
"""Words after a title that are no names: `Sr. Manager`."""

COMMON_WORDS = {
    "English": (
        "a an and any as at be by do for from go he her him his i if in is it its me my no not of off on or "
        "our out she so that the their them they this to up us was we were with you your support team service "
        "services customer customers help helpdesk desk admin administrator user guest system anonymous "
        "unknown sales billing agent agents bot info office account accounts manager contact company group "
        "inc ltd llc corp test none null true false yes new old good great very easy hard fast slow thanks "
        "thank please hello hi dear regards mr mrs ms dr prof monday tuesday wednesday thursday friday "
        "saturday sunday january february march july august september october november december hr qa ceo cto "
        "vp uk usa eu north south east west central international global web app mobile phone email mail "
        "order orders product products store shop online chat call center centre response operations security "
        "technical finance marketing department first second third line level tier premium basic"
    ),
    "German": (
        "der die das den dem des ein eine und oder von vom zu zur zum im in am an auf mit für fur bei ich du "
        "er sie es wir ihr nicht herr frau kunde kunden kundendienst kundenservice dienst hilfe abteilung "
        "mitarbeiter unbekannt montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar "
        "marz mai juni juli oktober dezember gmbh ag vertrieb rechnung bestellung danke bitte sehr gut"
    ),
    "French": (
        "le la les l d du de des un une et ou je tu il elle nous vous ils elles ne pas en au aux avec pour "
        "par sur dans monsieur madame client clients equipe lundi mardi mercredi jeudi vendredi samedi "
        "dimanche janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre merci "
        "bonjour tres inconnu"
    ),
    "Spanish": (
        "el la los las un una y o de del al en con por para su sus tu yo no se que es equipo soporte servicio "
        "cliente lunes martes miercoles jueves viernes sabado domingo enero febrero marzo abril mayo junio "
        "julio agosto septiembre octubre noviembre diciembre gracias hola muy"
    ),
    "Italian": (
        "il lo la gli le un uno una e o di da del della in con per su io tu lei noi voi non che assistenza "
        "servizio cliente grazie"
    ),
    "Portuguese": (
        "o a os as um uma e ou de do da dos das em no na com por para eu ele ela nao que suporte equipe "
        "cliente obrigado"
    ),
    "Dutch": (
        "de het een en of van der den te ten ter in op met voor bij ik jij hij zij wij niet klant "
        "klantenservice dienst bedankt"
    ),
}
"""Words that are in cells of people, and in comments of everyone: never a name on their own."""

NAMES_THAT_ARE_WORDS = {
    "English": (
        "abbey amber angel april archer arch art ash august aurora autumn bailey baker banks barber bay beck "
        "bell berry best bill bird bishop black blue bond booker booth bowman boy brand brandy bridge bright "
        "brook brooks brown buck bush butler butcher camp cannon carl carter case cash chance chandler chase "
        "cherry chip christian church clay close cole colt cook cooper copper cotton crystal daisy dale dash "
        "dawn day dean deal destiny dick dolly drew duke earl ever faith farmer finch fisher flower ford "
        "forest fox frank free french frost gale game gay gene glen good grace grand grant gray green grey "
        "guy hale hall hand hardy harmony harper hawk hazel heather heath hill holly honey hope house hunt "
        "hunter iris iron ivory ivy jack jade jasmine jay jean jet jewel job joy judge june justice key king "
        "knight lake lance land lane lark law lee light lily little long love low lucky major marsh mark "
        "marks marry mason matt may meadow melody mercy mile miles mill miller mills misty moon more moss "
        "myth nick noble noon novel oak olive page paris park parks parker pat patience pearl penny pepper "
        "percy peters pierce pike piper pool poppy porter post potter power price prince quick quest rain "
        "rainbow ray read red reed rich ring rip river rivers rob robin rock rod rose rosemary rowan royal "
        "ruby rush rusty saint sage sally sandy savage scott seal self sharp shaw shepherd sherry sky skip "
        "small smart smith snow song sonny spring star steel stern stone storm strong sue summer sun sunny "
        "swan swift taylor temple terry tiffany tom tony trace tripp trinity trip true tucker turner tyler "
        "van vary victor violet wade walker wall ward warren waters way weaver web wells west wheeler white "
        "wild will willow wills win winter wise wolf wood woods worth wright york young"
    ),
    "French": (
        "aime ange blanc blanche bon clement constant desire fleur franc grand jolie juste legrand leblanc "
        "marine petit pierre prudent rose roux"
    ),
    "Spanish": (
        "alba amor angel angeles bueno consuelo cruz delgado dolores esperanza flores fuentes gracia guerra "
        "iglesias leon luz mar mercedes moreno paz pilar rico rojo rubio salud sol soledad torres vega "
        "victoria"
    ),
    "Italian": (
        "bianca bianchi bruno chiara felice fiore gentile grazia leone longo luce rosa rossi serena sole "
        "stella vero vittoria"
    ),
    "Portuguese": "cruz luz mar pinto ramos rosa santos silva sol",
    "Dutch": "bakker berg boer bos dekker groot jong klein koning lang mulder smit visser wit",
}
"""Names that are common words of a language too: a name only next to another name, or capitalised inside a sentence."""

NAMES_THAT_ARE_NOUNS = {
    "German": (
        "bauer becher berg bock braun busch engel fischer fuchs gross hahn hammer hirsch horn jager jung "
        "kaiser kamm keller klein koch konig kraft krug kuhn lang licht maier meister morgen muller nagel neu "
        "ochs pfeffer richter ritter roth sauer schafer schneider schreiber schroder schuster schwarz sommer "
        "stein stern strauss vogel wagner wald weber weiss winter wolf wolff zimmer zimmermann"
    ),
}
"""German nouns, which are capitalised everywhere: a name unless an article is before them."""

ARTICLES = {
    "English": "a an the this that your our my his her their no every each any",
    "German": (
        "der die das dem den des ein eine einen einem einer eines kein keine keinen mein meine meinen dein "
        "ihr ihre ihren "
        "unser unsere zum zur beim im am vom jeder jede jeden dieser diese diesen als wie"
    ),
    "French": "le la les un une des du au aux ce cet cette ces mon ma mes votre vos notre nos",
    "Spanish": "el la los las un una unos unas del al este esta su sus mi mis",
    "Italian": "il lo la gli le un uno una del della dei delle al alla questo questa",
    "Portuguese": "um uma uns umas do da dos das ao este esta seu sua meu minha",
    "Dutch": "de het een die dat deze dit mijn uw onze geen",
}
"""Directly before a name that is also a word, they make it the word: `Der Koch war gut`."""
