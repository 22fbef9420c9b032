//! Roles that look like one that opens doors. Well signed: whoever writes roles into tokens may have taken them from a form.

use serde_json::{Value, json};

use crate::case::Expected::NoMore;
use crate::case::{Case, bearer};
use crate::forge::Forge;

pub fn add(forge: &Forge, cases: &mut Vec<Case>) {
    let lists = [
        "Admin",
        "ADMIN",
        "aDmin",
        " admin",
        "admin ",
        "admin\0",
        "\0admin",
        "admin\n",
        "admin\t",
        "adm\u{200b}in",
        "\u{430}dmin",
        "adm\u{131}n",
        "\u{ff41}\u{ff44}\u{ff4d}\u{ff49}\u{ff4e}",
        "admin,user",
        "user,admin",
        "user admin",
        "admin;",
        "administrator",
        "admi",
        "admin*",
        "*",
        ".*",
        "admin%00",
        "\\u0061dmin",
        "user\" , \"admin",
        "['admin']",
        "ROLE_admin",
        "role:admin",
        "admin/",
        "root",
        "superuser",
        "\u{feff}admin",
        "a\u{301}dmin",
        "nimda",
    ];
    for role in lists {
        add_one(
            forge,
            cases,
            format!("roles hold {role:?}"),
            json!({ "roles": [role] }),
        );
    }
    let shapes: [(&str, Value); 20] = [
        ("roles as text of two", json!({ "roles": "user,admin" })),
        ("roles as text of a list", json!({ "roles": "[\"admin\"]" })),
        ("roles as an object", json!({ "roles": { "admin": true } })),
        (
            "roles as an object with numbers",
            json!({ "roles": { "0": "admin" } }),
        ),
        ("roles in a list of lists", json!({ "roles": [["admin"]] })),
        (
            "roles of objects",
            json!({ "roles": [{ "name": "admin" }] }),
        ),
        (
            "roles with a null",
            json!({ "roles": ["user", null, "admin"] }),
        ),
        ("roles with a number", json!({ "roles": [1, "admin"] })),
        ("roles are true", json!({ "roles": true })),
        ("roles are 1", json!({ "roles": 1 })),
        ("role", json!({ "role": "admin" })),
        ("Roles", json!({ "Roles": ["admin"] })),
        ("ROLES", json!({ "ROLES": ["admin"] })),
        ("groups", json!({ "groups": ["admin"] })),
        ("permissions", json!({ "permissions": ["admin"] })),
        (
            "realm_access",
            json!({ "realm_access": { "roles": ["admin"] } }),
        ),
        ("scope", json!({ "scope": "admin" })),
        ("admin", json!({ "admin": true })),
        ("isAdmin", json!({ "isAdmin": true, "is_admin": 1 })),
        ("__proto__", json!({ "__proto__": { "roles": ["admin"] } })),
    ];
    for (name, members) in shapes {
        add_one(forge, cases, name.to_owned(), members);
    }
}

fn add_one(forge: &Forge, cases: &mut Vec<Case>, name: String, members: Value) {
    let token = forge
        .key
        .token(forge.header_text(), forge.claims_with(members));
    cases.push(bearer("role", name, "CWE-178, CWE-285", token).expecting(NoMore));
}
