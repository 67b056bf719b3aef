"""The fake helpdesks with single tickets that can be read and changed. They record the changes."""

from datetime import UTC, datetime
from typing import Any

from ces_pipeline.http.fakes.server import FakeRequest, FakeResponse
from ces_pipeline.vendors.freshdesk.fake_server import FakeFreshdesk
from ces_pipeline.vendors.servicenow.fake_server import USER as SN_USER
from ces_pipeline.vendors.servicenow.fake_server import FakeServiceNow
from ces_pipeline.vendors.zendesk.fake_server import EMAIL, TOKEN, FakeZendesk


class WritableZendesk(FakeZendesk):
    """changes: (ticket, old value, new value) of every update that changed something. writes: ticket of every update."""

    def __init__(self, tickets: list[dict[str, Any]], **more: Any):
        super().__init__(tickets, **more)
        self.changes: list[tuple[str, Any, Any]] = []
        self.writes: list[str] = []

    def answer(self, asked: FakeRequest) -> FakeResponse:
        parts = asked.path.strip("/").split("/")
        if parts[:3] != ["api", "v2", "tickets"] or len(parts) != 4:
            return super().answer(asked)
        if asked.basic != (f"{EMAIL}/token", TOKEN):
            return FakeResponse(401, {"error": "Couldn't authenticate you"})
        found = next((ticket for ticket in self.tickets if str(ticket["id"]) == parts[3]), None)
        if found is None:
            return FakeResponse(404, {"error": "RecordNotFound", "description": "Not found"})
        if asked.method == "PUT":
            self.writes.append(parts[3])
            if found["status"] == "closed":
                error = {"status": [{"description": "Status: closed prevents ticket update"}]}
                return FakeResponse(422, {"error": "RecordInvalid", "details": error})
            for sent in asked.json["ticket"]["custom_fields"]:
                field = next((field for field in found["custom_fields"] if field["id"] == sent["id"]), None)
                if field is None:
                    return FakeResponse(422, {"error": "RecordInvalid"})
                if str(field["value"]) != str(sent["value"]):
                    self.changes.append((parts[3], field["value"], sent["value"]))
                    field["value"] = str(sent["value"])
        return FakeResponse(data={"ticket": found})


class WritableFreshdesk(FakeFreshdesk):
    """As WritableZendesk."""

    def __init__(self, tickets: list[dict[str, Any]], **more: Any):
        super().__init__(tickets, **more)
        self.changes: list[tuple[str, Any, Any]] = []
        self.writes: list[str] = []

    def _desk(self, asked: FakeRequest, parts: list[str]) -> FakeResponse:
        if parts[0] != "tickets" or len(parts) != 2:
            return super()._desk(asked, parts)
        found = self.tickets.get(int(parts[1]))
        if found is None:
            return FakeResponse(404, body=b"")
        if asked.method == "PUT":
            self.writes.append(parts[1])
            for name, value in asked.json["custom_fields"].items():
                if name not in found["custom_fields"]:
                    errors = [{"field": name, "message": "Unexpected/invalid field", "code": "invalid_field"}]
                    return FakeResponse(400, {"description": "Validation failed", "errors": errors})
                if found["custom_fields"][name] != value:
                    self.changes.append((parts[1], found["custom_fields"][name], value))
                    found["custom_fields"][name] = value
        return FakeResponse(data=found)


class WritableServiceNow(FakeServiceNow):
    """As WritableZendesk. Tickets are identified by their number."""

    def __init__(self, rows: list[dict[str, str]], **more: Any):
        super().__init__({"incident": rows}, **more)
        self.changes: list[tuple[str, Any, Any]] = []
        self.writes: list[str] = []

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if asked.method != "PATCH" or (asked.basic or ("",))[0] != SN_USER:
            return super().answer(asked)
        key = asked.path.rpartition("/")[2]
        row = next((row for row in self.tables["incident"] if row["sys_id"] == key), None)
        if row is None:
            return FakeResponse(
                404, {"error": {"message": "No Record found", "detail": ""}, "status": "failure"}
            )
        self.writes.append(row["number"])
        for name, value in asked.json.items():
            assert isinstance(value, str)
            if row[name] != value:
                self.changes.append((row["number"], row[name], value))
                row |= {name: value, "sys_updated_on": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"}
        return FakeResponse(data={"result": row})
