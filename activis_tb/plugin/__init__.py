"""TensorBoard plugin: recordings over HTTP, and the tab's files. `http_api.md` describes the routes."""
