"""Lead conversion: a lead becomes an account, a contact and an opportunity."""
