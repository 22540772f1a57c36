"""The web application, for gunicorn and its like: ``gunicorn wsgi:app``."""

from sidecar.web import from_environ

app = from_environ()
