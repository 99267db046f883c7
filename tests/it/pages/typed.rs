//! That a form does what was typed in it: a link types nothing, and what no button sends does nothing.

use test_support::{
    client::TestClient,
    runner::{Backend, RawResponse, TestRequest},
};

/// An administrator, another user, and the cookie of the first.
fn administered() -> (TestClient, String) {
    let mut client = TestClient::new().unwrap();
    for name in ["olga", "jane"] {
        client.register(name);
    }
    client.operate("grant olga").unwrap();
    let cookie = client.sign_in("olga");
    (client, cookie)
}

/// The answer to a browser.
fn answer(client: &mut TestClient, cookie: &str, request: &str, form: &str) -> RawResponse {
    let (method, target) = request.split_once(' ').unwrap();
    let header = |name: &str, value: String| (name.to_owned(), value);
    let headers = vec![
        header("Cookie", format!("hublet={cookie}")),
        header("Sec-Fetch-Site", "same-origin".into()),
        header("Content-Type", "application/x-www-form-urlencoded".into()),
    ];
    let sent = TestRequest { method: method.into(), target: target.into(), headers, body: form.into() };
    client.app.send(&sent).unwrap()
}

#[test]
fn link_types_no_confirmation() {
    let (mut client, cookie) = administered();
    for (path, name) in [("/admin/users/jane", "jane"), ("/settings", "olga")] {
        let mut body = |query: &str| answer(&mut client, &cookie, &format!("GET {path}{query}"), "").body;
        let linked = format!("?name={name}&repositories=on&days=65535&new=mallory@example.net&email=olga@example.com");
        assert!(body("") == body(&linked), "{path}");
    }
    // What was refused comes back.
    for (path, form, typed) in [
        ("/admin/users/jane", "action=remove&name=jan&repositories=on", "value=\"jan\""),
        ("/settings", "action=delete&name=olg&repositories=on&password=wrong", "value=\"olg\""),
    ] {
        let refused = answer(&mut client, &cookie, &format!("POST {path}"), form);
        let page = String::from_utf8(refused.body).unwrap();
        assert!(page.contains(typed) && page.contains("name=\"repositories\" checked"), "{path}: {page}");
    }
}

/// Also where the form would come back, with a field for the password.
#[test]
fn form_has_a_thousand_fields_at_most() {
    let (mut client, cookie) = administered();
    client.app.platform.advance(15 * 60);
    for (fields, status) in [(1_000, 403), (1_001, 413), (200_000, 413)] {
        let form = "a&".repeat(fields);
        let response = answer(&mut client, &cookie, "POST /r/olga/app/-/settings", &form);
        assert_eq!(response.status, status, "{fields}");
        assert!(response.body.len() < 50_000, "{fields}: {} bytes", response.body.len());
    }
}

/// A form is sent to the path of its page, which says that the form before it was saved.
#[test]
fn refused_form_is_not_saved() {
    let (mut client, cookie) = administered();
    for (path, form) in [
        ("/r/olga/-/members", "action=set&user=nosuch&role=read"),
        ("/r/olga/-/service-accounts", "action=create&username=x&role=read"),
        ("/settings", "action=password&password=wrong"),
        ("/admin", "action="),
        ("/admin/users/jane", "action="),
    ] {
        let target = format!("{path}?done=saved");
        let saved = answer(&mut client, &cookie, &format!("GET {target}"), "");
        assert!(String::from_utf8(saved.body).unwrap().contains(">Saved.<"), "{path}");
        let page = String::from_utf8(answer(&mut client, &cookie, &format!("POST {target}"), form).body).unwrap();
        assert!(page.contains("role=\"alert\"") && !page.contains(">Saved.<"), "{path}: {page}");
    }
}

#[test]
fn notice_is_removed_by_its_button_alone() {
    let (mut client, cookie) = administered();
    let mut post = |form: &str| answer(&mut client, &cookie, "POST /admin", form);
    assert_eq!(post("action=write&notice=Closed on Sunday.").status, 303);
    for form in ["", "action=", "action=disable", "notice=Open.", "action=writ&notice=Open."] {
        let refused = post(form);
        let page = String::from_utf8(refused.body).unwrap();
        assert_eq!(refused.status, 400, "{form}");
        assert!(page.contains("Closed on Sunday.") && page.contains("There is no such action"), "{form}");
    }
    assert_eq!(post("action=remove").status, 303);
    let page = String::from_utf8(answer(&mut client, &cookie, "GET /admin", "").body).unwrap();
    assert!(!page.contains("Closed on Sunday."));
}

/// A header has no other letters: a platform refuses the answer, or writes others.
#[test]
fn path_after_signing_in_is_one() {
    let (mut client, _) = administered();
    for (next, path) in [
        ("/r/olga?name=a%26b", "/r/olga?name=a&b"),
        ("/r/%C3%BC", "/"),
        ("/%00x", "/"),
        ("/a%0Bb", "/"),
        ("/a%20b", "/"),
        ("/%5Cexample.com", "/"),
        ("/%0A/example.com", "/"),
        ("//example.com", "/"),
    ] {
        let form = format!("username=jane&password=secret&next={next}");
        let response = client.ask("POST /sign-in", "", &form);
        assert_eq!((response.status, response.header("location")), (303, path), "{next}");
    }
}
