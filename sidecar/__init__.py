"""Referral tracking beside Salesforce."""
