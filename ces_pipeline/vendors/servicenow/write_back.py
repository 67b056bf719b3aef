"""Writes a score into a column of a ServiceNow table row."""

from ces_pipeline.http.client import Http
from ces_pipeline.http.errors import BadResponseError
from ces_pipeline.registry.api import Api
from ces_pipeline.vendors.contract import TicketField, Value, WriteBack


class ServiceNowWriteBack(WriteBack):
    """A column of the source's table. A row is found by its number and changed by its sys_id."""

    def read(self, http: Http, api: Api, ticket_id: str, field: str) -> TicketField | None:
        query = {
            "sysparm_query": f"number={ticket_id}",
            "sysparm_fields": f"sys_id,number,{field}",
            "sysparm_limit": 2,
        }
        response = http.get(_table(api), query, accept=(404,))
        rows = response.data.get("result") if isinstance(response.data, dict) else None
        # ServiceNow ignores a part of a query that it does not understand, and then returns other rows.
        found = [row for row in rows or [] if isinstance(row, dict) and row.get("number") == ticket_id]
        if len(found) != 1 or not found[0].get("sys_id"):
            return None
        if field not in found[0]:
            raise BadResponseError(
                f"the column {field} is not in the response: give the user read access, or correct write_back.field"
            )
        return TicketField(str(found[0]["sys_id"]), found[0][field])

    def write(self, http: Http, api: Api, held: TicketField, field: str, value: Value) -> None:
        http.request("PATCH", f"{_table(api)}/{held.address}", json_body={field: str(value)}, repeatable=True)


def _table(api: Api) -> str:
    return f"/api/now/table/{api.options.get('table', 'incident')}"
