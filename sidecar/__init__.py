"""Referral tracking beside Salesforce."""

__version__ = "0.1.0"
