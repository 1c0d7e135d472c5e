"""The words that made-up tickets are made of."""

COMPONENTS = (
    "invoice export", "login page", "search box", "billing job", "customer import", "audit log", "push notifications",
    "calendar sync", "image upload", "password reset", "order overview", "payment form", "dashboard", "mobile menu",
    "address book", "newsletter editor", "report builder", "webhook delivery", "permission screen", "chat widget",
    "inventory sync", "refund flow", "checkout basket", "session timeout page", "translation editor", "feature flags",
    "backup job", "rate limiter", "coupon dialog", "shipping labels", "map view", "timesheet", "photo gallery",
    "ticket inbox", "team settings", "api console", "data warehouse feed", "signature pad", "booking grid", "tax table",
)  # fmt: skip
QUALITIES = (
    "expired", "archived", "nested", "duplicate", "oversized", "encrypted", "anonymous", "recurring", "cancelled",
    "overdue", "bilingual", "scanned", "imported", "draft", "locked", "shared", "hidden", "rounded", "negative",
    "seasonal", "prepaid", "unverified", "merged", "printed", "handwritten", "foreign", "temporary", "malformed",
    "orphaned", "bulk", "legacy", "mobile", "weekly", "partial", "disputed", "reserved", "compressed", "outdated",
    "regional", "inherited",
)  # fmt: skip
THINGS = (
    "certificates", "vouchers", "receipts", "attachments", "thumbnails", "signatures", "deadlines", "holidays",
    "discounts", "reminders", "barcodes", "footnotes", "subscriptions", "mailboxes", "currencies", "headlines",
    "captions", "warehouses", "timestamps", "passports", "quotas", "templates", "surcharges", "playlists", "bookmarks",
    "delegates", "milestones", "allergens", "coordinates", "serial numbers", "pallets", "dosages", "lectures",
    "tariffs", "sensors", "drawings", "shifts", "donations", "polls", "translations", "batches", "recipes", "seats",
    "parcels", "keywords", "contracts", "invitations", "badges", "routes", "deposits",
)  # fmt: skip
ACTIONS = (
    "Fix the crash of the {component} with {aspect}", "Speed up the {component} for {aspect}",
    "Write documentation about {aspect} in the {component}", "Collect metrics on {aspect} in the {component}",
    "Cover {aspect} in the {component} by tests", "Redesign how the {component} presents {aspect}",
    "Record what the {component} does about {aspect}", "Translate the messages about {aspect} in the {component}",
    "{component} loses data because of {aspect}", "Wrong result in the {component} caused by {aspect}",
    "Users of the {component} want a preview of {aspect}", "Clean up old code for {aspect} in the {component}",
    "Warn before {aspect} break the {component}", "Memory leak in the {component} after many {aspect}",
    "Let people undo {aspect} in the {component}", "Security review of {aspect} in the {component}",
    "Upgrade the library behind {aspect} in the {component}", "Ask pilot users about {aspect} in the {component}",
    "Flickering in the {component} around {aspect}", "Move {aspect} out of the {component} into a service",
)  # fmt: skip
REASONS = (
    "{customer} reported it on {day} with version {version}.", "The log says {error} at that moment.",
    "It took {number} seconds in the last measurement.", "Support answered {number} questions about it since {day}.",
    "{person} has a recording of how it goes wrong.", "{customer} threatens to leave over this.",
    "We promised it to {customer} for {day}.", "The old system of {customer} can do this.",
    "{person} found {error} in the monitoring.", "Only happens from version {version} on.",
    "See what {person} wrote after the call with {customer}.", "{number} of a hundred people give up here.",
    "The auditors of {customer} asked for it.", "{person} estimates {number} days of work.",
    "Reproduced by {person} on a fresh machine.", "The workaround of {person} stopped working in {version}.",
)  # fmt: skip
CUSTOMERS = (
    "Aldermoor", "Brightwell", "Carraway", "Dunmore", "Eastlake", "Fernhill", "Greycote", "Hollowbrook", "Ironbridge",
    "Juniper Bay", "Kestrel", "Longmeadow", "Marlowe", "Northgate", "Oakhurst", "Pinecrest", "Quillfeather", "Redwater",
    "Silverton", "Thornbury", "Underhill", "Vantage", "Westmarch", "Yellowstone Mills", "Zephyr",
)  # fmt: skip
PEOPLE = (
    "Amara", "Bashir", "Carmen", "Dmitri", "Elena", "Farouk", "Greta", "Hiroshi", "Ingrid", "Jamal", "Katya", "Liam",
    "Mbali", "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Stellan", "Tomasz", "Ulrike", "Viktor", "Wanjiru", "Yusuf",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
REMARKS = ("Same here.", "Please look at this soon.", "I could not find a ticket about it.", "Happened to me twice.")
SYNONYMS = {
    "fix": ("repair", "resolve"), "crash": ("failure", "breakdown"), "speed": ("make",), "up": ("faster",),
    "write": ("provide",), "documentation": ("a manual page", "help text"), "collect": ("gather",),
    "metrics": ("figures", "counters"), "cover": ("check", "verify"), "tests": ("automated checks", "test cases"),
    "redesign": ("rework", "improve"), "presents": ("displays", "shows"), "record": ("log", "write down"),
    "translate": ("localise",), "messages": ("texts",), "loses": ("drops", "forgets"), "data": ("entries",),
    "wrong": ("incorrect",), "result": ("output",), "caused": ("triggered",), "users": ("people",),
    "want": ("would like", "ask for"), "preview": ("sneak view",), "clean": ("tidy",), "old": ("legacy", "dead"),
    "warn": ("alert",), "break": ("damage",), "memory": ("RAM",), "many": ("lots of",), "let": ("allow",),
    "undo": ("revert",), "review": ("audit",), "upgrade": ("update",), "library": ("dependency",),
    "ask": ("interview",), "flickering": ("blinking",), "move": ("extract",), "reported": ("complained about",),
    "happens": ("occurs",), "found": ("saw",), "promised": ("committed to",), "wrote": ("noted",),
}  # fmt: skip
CONTRADICTIONS = (
    ("Show {aspect} in the {component} by default", "Hide {aspect} in the {component} unless somebody asks"),
    ("Keep {aspect} of the {component} for 30 days", "Keep {aspect} of the {component} for 365 days"),
    ("Allow guests to change {aspect} in the {component}", "Only admins may change {aspect} in the {component}"),
    ("The {component} must ask before it touches {aspect}", "The {component} must not ask before it touches {aspect}"),
    ("Enable {aspect} for everybody in the {component}", "Disable {aspect} in the {component} for all but testers"),
)
