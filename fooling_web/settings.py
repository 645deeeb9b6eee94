"""Django's settings. Everything that differs between two sites comes from the environment (docs/operations.md)."""

import logging
import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from fooling_web.home import PROJECT, data_dir, home, made_private, valkey_socket


def _environment_list(name: str, default: str) -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def _environment_number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ImproperlyConfigured(f"{name}={text} is no whole number; give one like {default}")
    return int(text)


def _environment_seconds(name: str, default: float) -> float:
    text = os.environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ImproperlyConfigured(f"{name}={text} is no time in seconds; give one like {default}")
    return seconds


def _secret_key() -> str:
    """Read this instance's own key; make it on the first start."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    path = HOME / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


def _database(url: str) -> dict[str, Any]:
    try:
        return dict(dj_database_url.parse(url))
    except ValueError:
        without_password = url.rpartition("@")[2]
        raise ImproperlyConfigured(
            f"DATABASE_URL={without_password} names no database; "
            "give one like postgres://user:password@host/name, or none for SQLite in the home"
        ) from None


def _log_level() -> str:
    level = (os.environ.get("LOG_LEVEL") or "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        raise ImproperlyConfigured(f"LOG_LEVEL={level} is unknown; choose DEBUG, INFO, WARNING or ERROR")
    return level


HOME = home()
try:
    made_private(HOME)
    SECRET_KEY = _secret_key()
except OSError as error:
    raise ImproperlyConfigured(
        f"{HOME} cannot hold the site ({error.strerror}); choose another folder by FOOLING_HOME"
    ) from error
DEBUG = os.environ.get("DEBUG", "") == "1"
ALLOWED_HOSTS = _environment_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = _environment_list("CSRF_TRUSTED_ORIGINS", "")
BEHIND_HTTPS = os.environ.get("BEHIND_HTTPS", "") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None

INSTALLED_APPS = [
    "fooling_web.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "django_htmx",
    "fooling_web.users",
    "fooling_web.runs",
    "fooling_web.classifiers",
    "fooling_web.galleries",
    "fooling_web.breeding",
    "fooling_web.exports",
    "fooling_web.studies",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "fooling_web.middleware.DamageMiddleware",
]

ROOT_URLCONF = "fooling_web.urls"
ASGI_APPLICATION = "fooling_web.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# The database is the truth. SQLite in WAL mode: readers never wait, writers take the lock at once.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA cache_size=-65536;"
        "PRAGMA mmap_size=134217728;PRAGMA temp_store=MEMORY;"
    ),
}
DATABASES = {"default": _database(os.environ.get("DATABASE_URL") or f"sqlite:///{HOME / 'database.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    DATABASES["default"]["TEST"] = {
        "NAME": str(HOME / "test-database.sqlite3")
    }  # threads share a file, not memory
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Valkey carries doorbells: Celery's messages and the sockets' events. It holds no state.
_redis_url = os.environ.get("REDIS_URL", "").rstrip("/")
_socket = valkey_socket()


def _redis(database: int) -> str:
    return f"{_redis_url}/{database}" if _redis_url else f"unix://{_socket}?db={database}"


CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [_redis(2)]},
    }
}
# The default cache counts tries to sign in and up. One web process counts for itself, so that nobody is kept out
# while Valkey is away; many have to count together, and REDIS_URL is what they share.
COUNTED_BY_ONE = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "tries",
    "OPTIONS": {"MAX_ENTRIES": 10_000},
}
COUNTED_TOGETHER = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _redis(3)}
CACHES = {
    "default": COUNTED_TOGETHER if _redis_url else COUNTED_BY_ONE,
    "fragments": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "fragments"},
}

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or (
    f"{_redis_url}/0" if _redis_url else f"redis+socket://{_socket}?virtual_host=0"
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    # Nobody who presses Launch waits for a broker that is away: one more try, and the scheduler rings later.
    "connect_retries_timeout": 0.3,
    "interval_start": 0.1,
    "interval_max": 0.2,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "interactive"
CELERY_TASK_ROUTES = {
    "fooling_web.runs.tasks.execute_run": {"queue": "runs"},
    "fooling_web.breeding.tasks.consider_offers": {"queue": "runs"},
}
CELERY_TASK_PUBLISH_RETRY = False  # a doorbell that does not ring at once is rung by the scheduler
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 120  # a worker loads torch and compiles kernels before it takes work
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "keep order among runs": {
        "task": "fooling_web.runs.tasks.keep_order",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "ring for waiting runs": {"task": "fooling_web.runs.tasks.ring_for_waiting_runs", "schedule": 2.0},
    "ring for waiting offers": {
        "task": "fooling_web.breeding.tasks.ring_for_waiting_offers",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "ring for unjudged publications": {
        "task": "fooling_web.breeding.tasks.ring_for_unjudged_publications",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "ring for forsaken attempts": {
        "task": "fooling_web.breeding.tasks.ring_for_forsaken_attempts",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    "keep order among exports": {
        "task": "fooling_web.exports.tasks.keep_exports",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "ring for forsaken analyses": {
        "task": "fooling_web.studies.tasks.ring_for_forsaken_analyses",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "keep recognition by people": {
        "task": "fooling_web.studies.tasks.keep_recognition",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "delete data of studies whose time is over": {
        "task": "fooling_web.studies.tasks.keep_to_retention",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "hang galleries": {
        "task": "fooling_web.galleries.tasks.hang_galleries",
        "schedule": 3.0,
        "options": {"expires": 3.0},  # the next one does what this one did not come to
    },
}

# How runs share the workers (fooling_web/runs/execution.py).
RUN_SLICE_SECONDS = _environment_seconds("RUN_SLICE_SECONDS", 3)
RUN_LEASE_SECONDS = _environment_seconds("RUN_LEASE_SECONDS", 10)
RUN_FLUSH_SECONDS = 1.0
RUN_ATTEMPTS = 20  # claims in a row that kept nothing, before a run is given up
ACTIVE_RUNS_PER_USER = _environment_number("ACTIVE_RUNS_PER_USER", 5)
EXAMINATION_SECONDS_A_MINUTE = _environment_number("EXAMINATION_SECONDS_A_MINUTE", 40)  # for one address
NEWCOMERS_GALLERY = os.environ.get("NEWCOMERS_GALLERY", "1") != "0"  # runs that a new site begins with
REMOVED_RUNS_DAYS = _environment_number("REMOVED_RUNS_DAYS", 30)  # for which they can be restored
CLASSIFIER_UPLOAD_MEGABYTES = _environment_number("CLASSIFIER_UPLOAD_MEGABYTES", 600)
IMPORT_UPLOAD_MEGABYTES = _environment_number("IMPORT_UPLOAD_MEGABYTES", 2000)

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USERNAME_MIN_LENGTH = 3
ACCOUNT_USERNAME_BLACKLIST = [  # names that would be taken for the site's own voice
    *("admin", "administrator", "foolbreeder", "moderator", "root", "staff", "support", "system"),
]
ACCOUNT_RATE_LIMITS = {"signup": "100/m/ip", "login": "100/m/ip"}  # a class comes at once, from one address
ALLAUTH_TRUSTED_PROXY_COUNT = _environment_number("TRUSTED_PROXIES", 0)
EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = HOME / "mail"

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [
    PROJECT / "static",
    *(
        (f"vendor/{library}", PROJECT / "node_modules" / library / "dist")
        for library in ("cytoscape", "cytoscape-dagre", "d3-hierarchy", "jspsych", "uplot")
    ),
]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": HOME / "files"},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

DATA_DIR: Path = data_dir()

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": _log_level()},
    "loggers": {  # a line for every task that comes and ends: two each time that the scheduler rings
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "torch": {"level": "WARNING"},  # which tells of its caches when it is stopped while it loads
    },
}
