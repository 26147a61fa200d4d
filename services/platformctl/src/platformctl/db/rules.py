"""What must be true of every table, role and function, as queries that name whatever breaks a rule."""

from dataclasses import dataclass

# schema -> the login role of the service that owns it
SCHEMAS = {"gateway": "gateway_service", "coaching": "coaching_service", "channels": "channels_service"}

# $1: the schemas, $2: their services' roles, in the same order. Each rule goes on from here with a SELECT of one text.
# Roles and tables that are missing are a rule of their own; the others look at what is there.
COMMON = """
WITH owners AS (SELECT * FROM unnest($1::text[], $2::text[]) AS o (schema, role)),
services AS (SELECT role FROM owners WHERE to_regrole(role) IS NOT NULL),
tables AS (
    SELECT c.oid, n.oid AS schema_oid, n.nspname::text AS schema, n.nspname || '.' || c.relname AS name, owners.role,
        c.relrowsecurity AND c.relforcerowsecurity AS forced,
        EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy
    FROM owners JOIN pg_namespace n ON n.nspname = owners.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
),
personal AS (
    SELECT tables.*, a.attnotnull FROM tables
    JOIN pg_attribute a ON a.attrelid = tables.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
),
definers AS (
    SELECT n.nspname || '.' || p.proname AS name, pg_get_userbyid(p.proowner) AS owner, p.oid,
        EXISTS (SELECT FROM unnest(p.proconfig) AS option WHERE option LIKE 'search_path=%') AS pinned
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN (SELECT schema FROM owners) AND p.prosecdef
)
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """`query` names what breaks the rule, one text for each; `problem` says it in a sentence."""

    key: str
    query: str
    problem: str


RULES = (
    Rule(
        "schema_exists", "SELECT schema FROM owners WHERE to_regnamespace(schema) IS NULL", "schema {name} is missing"
    ),
    Rule(
        "role_exists",
        "SELECT r FROM (SELECT role FROM owners UNION SELECT 'coaching_claims') AS wanted (r)"
        " WHERE to_regrole(r) IS NULL",
        "role {name} is missing",
    ),
    Rule(
        "role_is_ordinary",
        "SELECT rolname FROM pg_roles WHERE (rolname IN (SELECT role FROM services) OR rolname = 'coaching_claims')"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)",
        "role {name} has rights over the whole server",
    ),
    Rule(
        "claims_cannot_log_in",
        "SELECT rolname FROM pg_roles WHERE rolname = 'coaching_claims' AND rolcanlogin",
        "role {name} can log in",
    ),
    Rule(
        "role_is_no_claimant",
        "SELECT role FROM services WHERE to_regrole('coaching_claims') IS NOT NULL"
        " AND pg_has_role(role, to_regrole('coaching_claims'), 'MEMBER')",
        "role {name} is a member of coaching_claims and would see the rows of every organisation",
    ),
    Rule(
        "forced",
        "SELECT name FROM personal WHERE NOT (forced AND has_policy)",
        "table {name} has organization_id, but row-level security is not enabled, forced and given a policy",
    ),
    Rule(
        "organization_required",
        "SELECT name FROM personal WHERE NOT attnotnull",
        "table {name} allows rows of no organisation",
    ),
    Rule(
        "policy_compares",
        "SELECT schemaname || '.' || tablename || ' (' || policyname || ')' FROM pg_policies"
        " WHERE schemaname IN (SELECT schema FROM owners) AND roles <> ARRAY['coaching_claims'::name]"
        " AND permissive = 'PERMISSIVE' AND NOT (coalesce(qual, with_check) LIKE '%app.organization_id%'"
        " AND coalesce(with_check, qual) LIKE '%app.organization_id%')",
        "the policy on {name} does not compare with the transaction's organisation",
    ),
    Rule(
        "others_tables",
        "SELECT name || ', by ' || services.role FROM tables CROSS JOIN services WHERE services.role <> tables.role"
        " AND has_table_privilege(services.role, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')",
        "another service's table can be used: {name}",
    ),
    Rule(
        "own_tables",
        "SELECT name || ', by ' || role FROM tables WHERE to_regrole(role) IS NOT NULL"
        " AND NOT (has_schema_privilege(role, schema_oid, 'USAGE') AND has_table_privilege(role, oid, 'SELECT'))",
        "a table cannot be read by the service that owns it: {name}",
    ),
    Rule(
        "no_truncate",
        "SELECT name || ', by ' || services.role FROM tables CROSS JOIN services"
        " WHERE has_table_privilege(services.role, oid, 'TRUNCATE')",
        "a table can be emptied for all organisations at once: {name}",
    ),
    Rule(
        "definer_is_closed",
        "SELECT name FROM definers WHERE NOT pinned OR has_function_privilege('public', oid, 'EXECUTE')",
        "function {name} has its owner's rights, but does not pin search_path or can be called by everybody",
    ),
    Rule(
        "definer_owner",
        "SELECT name FROM definers WHERE owner <> 'coaching_claims'",
        "function {name} has its owner's rights, and its owner is not coaching_claims",
    ),
)
