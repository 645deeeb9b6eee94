"""Accounts in the administration."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from fooling_web.users.models import User

admin.site.register(User, UserAdmin)
