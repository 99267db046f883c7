//! What is not configured: who asks is sent to the operator, and the log names the setting that is missing.

use test_support::{
    TestApp,
    runner::{Backend, TestRequest},
};

/// Who registers.
const PAUL: &str = r#"{"username": "paul", "password": "secret", "email": "paul@example.com"}"#;

/// A setting; what is asked with which body; and the setting that is missing.
const CASES: [[&str; 4]; 7] = [
    ["", "GET /account/forgotten", "", "MAIL"],
    ["", "POST /account/forgotten", "email=paul@example.com", "MAIL"],
    ["MAIL=on", "GET /account/forgotten", "", "PUBLIC_URL"],
    ["MAIL=on", "POST /account/forgotten", "email=paul@example.com", "PUBLIC_URL"],
    ["MAIL=on", "POST /v1/users/", PAUL, "PUBLIC_URL"],
    ["REGISTRY_KEY=", "GET /token?service=registry", "", "REGISTRY_KEY"],
    ["PASSWORD_PEPPER=short", "POST /v1/users/", PAUL, "PASSWORD_PEPPER"],
];

#[test]
fn missing_setting_is_logged_and_reported() {
    for [setting, request, body, missing] in CASES {
        let mut app = TestApp::new().unwrap();
        if let Some((name, value)) = setting.split_once('=') {
            app.set(name, value);
        }
        let (method, target) = request.split_once(' ').unwrap();
        let headers = if body.contains('=') { "application/x-www-form-urlencoded" } else { "application/json" };
        let headers = [("Content-Type", headers), ("Sec-Fetch-Site", "same-origin")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let sent = TestRequest { method: method.into(), target: target.into(), headers, body: body.into() };
        let response = app.send(&sent).unwrap();
        let said = String::from_utf8(response.body).unwrap();
        assert_eq!(response.status, 503, "{request}: {said}");
        assert!(said.contains("not configured for this: ask its operator"), "{request}: {said}");
        assert!(!said.contains(missing) && !said.contains("<form"), "{request}: {said}");
        let fault = response.faults.concat();
        assert!(fault.contains(missing), "{request} with {setting}: {fault}");
    }
}

/// The key is read when it is needed; a scheduled run needs it to say so.
#[test]
fn scheduled_run_logs_a_key_that_cannot_sign() {
    for (key, count) in [("no key", 1), ("", 0)] {
        let mut app = TestApp::new().unwrap();
        app.set("REGISTRY_KEY", key);
        app.scheduled();
        let log = app.platform.log.borrow();
        let named =
            log.iter().filter(|line| line["level"] == "error" && line["setting"] == "REGISTRY_KEY is not base64");
        assert_eq!(named.count(), count, "{log:?}");
    }
}

/// Where a link can be mailed, there is a form to ask for it.
#[test]
fn form_is_shown_only_where_it_works() {
    let mut app = TestApp::new().unwrap();
    app.set("MAIL", "on");
    app.set("PUBLIC_URL", "https://hub.example.com");
    let request =
        TestRequest { method: "GET".into(), target: "/account/forgotten".into(), headers: vec![], body: vec![] };
    let response = app.send(&request).unwrap();
    assert_eq!(response.status, 200);
    assert!(String::from_utf8(response.body).unwrap().contains("<form"));
}
