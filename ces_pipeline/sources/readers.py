"""The table of readers: name in `sources.yaml` -> Reader."""

from ces_pipeline.sources.columnar import PARQUET
from ces_pipeline.sources.contract import Reader
from ces_pipeline.sources.freshdesk import FRESHDESK_JSON
from ces_pipeline.sources.generic import GENERIC_CSV, GENERIC_JSON, XLSX
from ces_pipeline.sources.google_forms import GOOGLE_FORMS_CSV
from ces_pipeline.sources.medallia import MEDALLIA_CSV, MEDALLIA_JSON
from ces_pipeline.sources.qualtrics import QUALTRICS_CSV
from ces_pipeline.sources.servicenow import SERVICENOW
from ces_pipeline.sources.surveygizmo import SURVEYGIZMO_CSV
from ces_pipeline.sources.surveymonkey import SURVEYMONKEY_CSV
from ces_pipeline.sources.typeform import TYPEFORM_CSV
from ces_pipeline.sources.zendesk import ZENDESK_JSON
from ces_pipeline.sources.zigpoll import ZIGPOLL_JSON

READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        QUALTRICS_CSV,
        ZIGPOLL_JSON,
        MEDALLIA_JSON,
        MEDALLIA_CSV,
        SURVEYMONKEY_CSV,
        TYPEFORM_CSV,
        GOOGLE_FORMS_CSV,
        SURVEYGIZMO_CSV,
        ZENDESK_JSON,
        FRESHDESK_JSON,
        SERVICENOW,
        GENERIC_CSV,
        GENERIC_JSON,
        PARQUET,
        XLSX,
    )
}
