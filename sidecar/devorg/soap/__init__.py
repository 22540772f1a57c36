"""The SOAP APIs: Metadata (``m``), and what clients ask of Partner (``u``)."""
