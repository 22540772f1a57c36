"""What programs are told of the service: OpenAPI."""
