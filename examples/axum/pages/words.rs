//! What the pages of the example say, in the languages of the pages around them.

/// A page: what stands above it, and what is in it.
pub struct Sheet {
    pub title: &'static str,
    pub main: &'static str,
}

pub struct Words {
    pub first: Sheet,
    pub sign_in: Sheet,
    pub register: Sheet,
    pub wrong: &'static str,
    pub no_address: &'static str,
    pub password_rule: &'static str,
    pub account_exists: &'static str,
    pub too_many: &'static str,
}

impl Words {
    pub fn of(language: &str) -> &'static Self {
        if language == "de" { &GERMAN } else { &ENGLISH }
    }
}

static ENGLISH: Words = Words {
    first: Sheet {
        title: "Sessions to try out",
        main: include_str!("first.html"),
    },
    sign_in: Sheet {
        title: "Sign in",
        main: include_str!("sign_in.html"),
    },
    register: Sheet {
        title: "Register",
        main: include_str!("register.html"),
    },
    wrong: "The e-mail address or the password is wrong.",
    no_address: "This is not an e-mail address.",
    password_rule: "A password has 8 to 256 characters.",
    account_exists: "There is an account of that address already: sign in instead.",
    too_many: "There were too many attempts. Try again later.",
};

static GERMAN: Words = Words {
    first: Sheet {
        title: "Sitzungen zum Ausprobieren",
        main: include_str!("first.de.html"),
    },
    sign_in: Sheet {
        title: "Anmelden",
        main: include_str!("sign_in.de.html"),
    },
    register: Sheet {
        title: "Registrieren",
        main: include_str!("register.de.html"),
    },
    wrong: "Die E-Mail-Adresse oder das Passwort ist falsch.",
    no_address: "Das ist keine E-Mail-Adresse.",
    password_rule: "Ein Passwort hat 8 bis 256 Zeichen.",
    account_exists: "Zu dieser Adresse gibt es schon ein Konto: Bitte melden Sie sich an.",
    too_many: "Das waren zu viele Versuche. Bitte später noch einmal.",
};
