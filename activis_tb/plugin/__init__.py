"""TensorBoard plugin: recordings over HTTP, and the tab's files. `docs/http_api.md` describes the routes."""
