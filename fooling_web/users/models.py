"""Accounts. Signing up, in and out is django-allauth's work; the account itself is ours to grow."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person with an account: owns runs, and decides who may see them."""
