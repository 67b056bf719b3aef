"""Microsoft Forms: the workbook of responses that `Open in Excel` downloads."""

from ces_pipeline.vendors.named_table import NamedTable

MICROSOFT_FORMS_XLSX = NamedTable(
    name="microsoft_forms_xlsx",
    title="Microsoft Forms export",
    marks=(
        ("ID",),
        ("Start time", "Startzeit", "Heure de début", "Hora de inicio"),
        ("Completion time", "Fertigstellungszeit", "Heure de fin", "Hora de finalización"),
        ("Email", "E-Mail", "Adresse de messagerie", "Correo electrónico"),
    ),
    fields={
        "response_id": ("ID",),
        "started_at": ("Start time", "Startzeit", "Heure de début", "Hora de inicio"),
        "submitted_at": ("Completion time", "Fertigstellungszeit", "Heure de fin", "Hora de finalización"),
        "respondent": ("Email", "E-Mail", "Adresse de messagerie", "Correo electrónico"),
        "language": ("Language",),
    },
    people=("Name", "Nom", "Nombre"),
).reader()
