//! The API server of the tests, as kube-rs sees it.

mod apiserver;

use apiserver::ApiServer;
use futures::StreamExt;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch,
    PatchParams, PostParams,
};
use kube::runtime::watcher;
use serde_json::{Value, json};

fn connectors(client: kube::Client) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("evenkeel.dev", "v1alpha1", "VpcAccessConnector");
    let kind = ApiResource::from_gvk(&kind);
    Api::namespaced_with(client, "default", &kind)
}

fn connector(name: &str) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "evenkeel.dev/v1alpha1", "kind": "VpcAccessConnector",
        "metadata": {"name": name, "labels": {"phase": "1"}},
        "spec": {
            "project": "netra-staging", "location": "us-central1",
            "resource": {"minInstances": 2, "maxInstances": 3},
        },
    }))
    .unwrap()
}

fn code(error: kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn objects_are_created_changed_and_deleted_over_http_and_without() {
    let server = ApiServer::with_crds().await;
    for (name, client) in [("a", server.client()), ("b", server.http_client())] {
        let api = connectors(client);
        let made = api
            .create(&PostParams::default(), &connector(name))
            .await
            .unwrap();
        assert_eq!(made.metadata.generation, Some(1));
        assert!(made.metadata.uid.is_some());
        let twice = api.create(&PostParams::default(), &connector(name)).await;
        assert_eq!(code(twice.unwrap_err()), 409);

        let patch = json!({"spec": {"resource": {"maxInstances": 4}}});
        let by = PatchParams::default();
        let changed = api.patch(name, &by, &Patch::Merge(&patch)).await.unwrap();
        assert_eq!(changed.metadata.generation, Some(2));
        assert_eq!(changed.data["spec"]["resource"]["minInstances"], 2);

        // A write from an old state loses.
        let lost = api.replace(name, &PostParams::default(), &made).await;
        assert_eq!(code(lost.unwrap_err()), 409);
        // The same state again is no change.
        let same = api
            .replace(name, &PostParams::default(), &changed)
            .await
            .unwrap();
        assert_eq!(
            same.metadata.resource_version,
            changed.metadata.resource_version
        );

        api.delete(name, &DeleteParams::default()).await.unwrap();
        assert_eq!(api.get_opt(name).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_status_subresource_touches_status_alone() {
    let server = ApiServer::with_crds().await;
    let api = connectors(server.client());
    let mut made = api
        .create(&PostParams::default(), &connector("a"))
        .await
        .unwrap();
    made.data["status"] = json!({"observedGeneration": 1});
    made.data["spec"]["resource"]["maxInstances"] = json!(9);
    let by = PostParams::default();
    let after = api.replace_status("a", &by, &made).await.unwrap();
    assert_eq!(after.data["status"]["observedGeneration"], 1);
    assert_eq!(after.data["spec"]["resource"]["maxInstances"], 3);
    assert_eq!(after.metadata.generation, Some(1));

    let both = json!({"status": {"observedGeneration": 7}, "spec": {"drift": "Observe"}});
    let after = api
        .patch("a", &PatchParams::default(), &Patch::Merge(&both))
        .await
        .unwrap();
    assert_eq!(after.data["status"]["observedGeneration"], 1);
    assert_eq!(after.metadata.generation, Some(2));
}

#[tokio::test]
async fn a_finalizer_holds_an_object_and_owned_objects_follow_their_owner() {
    let server = ApiServer::with_crds().await;
    let api = connectors(server.client());
    let mut object = connector("a");
    object.metadata.finalizers = Some(vec!["evenkeel.dev/delete".into()]);
    let made = api.create(&PostParams::default(), &object).await.unwrap();
    server.create(json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "revision": 1,
        "metadata": {"name": "a-1", "ownerReferences": [{
            "apiVersion": "evenkeel.dev/v1alpha1", "kind": "VpcAccessConnector", "name": "a",
            "uid": made.metadata.uid,
        }]},
    }));
    api.delete("a", &DeleteParams::default()).await.unwrap();
    let held = api.get("a").await.unwrap();
    assert!(held.metadata.deletion_timestamp.is_some());
    let more = json!({"metadata": {"finalizers": ["evenkeel.dev/delete", "other/one"]}});
    let by = PatchParams::default();
    let added = api.patch("a", &by, &Patch::Merge(&more)).await;
    assert_eq!(code(added.unwrap_err()), 422);
    let none = json!({"metadata": {"finalizers": null}});
    api.patch("a", &by, &Patch::Merge(&none)).await.unwrap();
    assert_eq!(api.get_opt("a").await.unwrap(), None);
    assert_eq!(server.objects("controllerrevisions"), Vec::<Value>::new());
}

#[tokio::test]
async fn lists_select_and_come_in_pages() {
    let server = ApiServer::with_crds().await;
    let api = connectors(server.client());
    for name in ["a", "b", "c"] {
        let mut object = connector(name);
        if name == "c" {
            object.metadata.labels = None;
        }
        api.create(&PostParams::default(), &object).await.unwrap();
    }
    let of_phase = api
        .list(&ListParams::default().labels("phase in (1,2)"))
        .await
        .unwrap();
    assert_eq!(of_phase.items.len(), 2);
    let first = api.list(&ListParams::default().limit(2)).await.unwrap();
    let next = first.metadata.continue_.unwrap();
    let rest = ListParams::default().limit(2).continue_token(&next);
    let rest = api.list(&rest).await.unwrap();
    assert_eq!(rest.items.len(), 1);
    assert_eq!(rest.items[0].metadata.name.as_deref(), Some("c"));
}

async fn next(
    events: &mut (impl futures::Stream<Item = watcher::Result<watcher::Event<DynamicObject>>> + Unpin),
) -> String {
    loop {
        let (word, object) = match events.next().await.unwrap() {
            Ok(watcher::Event::Apply(object)) => ("apply", object),
            Ok(watcher::Event::InitApply(object)) => ("init", object),
            Ok(watcher::Event::Delete(object)) => ("delete", object),
            Ok(_) => continue,
            Err(error) => return format!("error {}", error.to_string().len().min(1)),
        };
        return format!("{word} {}", object.metadata.name.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_after_an_outage_and_after_a_compaction() {
    let server = ApiServer::with_crds().await;
    let api = connectors(server.client());
    api.create(&PostParams::default(), &connector("a"))
        .await
        .unwrap();
    for config in [
        watcher::Config::default(),
        watcher::Config::default().streaming_lists(),
    ] {
        let mut events = Box::pin(watcher::watcher(api.clone(), config));
        assert_eq!(next(&mut events).await, "init a");
        api.create(&PostParams::default(), &connector("b"))
            .await
            .unwrap();
        let mut seen = next(&mut events).await;
        assert!(["apply b", "init b"].contains(&seen.as_str()), "{seen}");

        server.unavailable(true);
        assert!(next(&mut events).await.starts_with("error"));
        assert!(api.get("a").await.is_err());
        server.unavailable(false);
        api.delete("b", &DeleteParams::default()).await.unwrap();
        server.compact();
        let mut tries = 0;
        while seen != "init a" && tries < 9 {
            seen = next(&mut events).await;
            tries += 1;
        }
        assert_eq!(seen, "init a");
    }
}

#[tokio::test]
async fn an_apply_owns_what_it_sets_and_lets_go_of_what_it_leaves_out() {
    let server = ApiServer::with_crds().await;
    let api = connectors(server.client());
    let applied = |body: Value| Patch::Apply(body);
    let set = |fields: Value| {
        json!({
            "apiVersion": "evenkeel.dev/v1alpha1", "kind": "VpcAccessConnector",
            "metadata": {"name": "a", "labels": {"phase": "1"}},
            "spec": {"project": "netra-staging", "location": "us-central1", "resource": fields},
        })
    };
    let (one, two) = (PatchParams::apply("one"), PatchParams::apply("two"));
    let both = json!({"minInstances": 2, "maxInstances": 3});
    let made = api
        .patch("a", &one, &applied(set(both.clone())))
        .await
        .unwrap();
    let again = api.patch("a", &one, &applied(set(both))).await.unwrap();
    assert_eq!(
        made.metadata.resource_version,
        again.metadata.resource_version
    );

    let theirs = json!({"minInstances": 4, "maxInstances": 5});
    let refused = api
        .patch("a", &two, &applied(set(theirs.clone())))
        .await
        .unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("conflict with \"one\"") && text.contains("minInstances"),
        "{text}"
    );
    let forced = api
        .patch("a", &two.clone().force(), &applied(set(theirs)))
        .await
        .unwrap();
    assert_eq!(forced.data["spec"]["resource"]["maxInstances"], 5);

    // What the one still holds, the other may leave out; what nobody holds, goes.
    let fewer = json!({"minInstances": 4});
    let left = api.patch("a", &two, &applied(set(fewer))).await.unwrap();
    assert_eq!(left.data["spec"]["resource"], json!({"minInstances": 4}));
}

#[tokio::test]
async fn bad_objects_are_refused_with_the_field_and_the_limit() {
    let server = ApiServer::with_crds().await;
    let api = connectors(server.client());
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut object = connector("a");
        change(&mut object.data);
        let made = api.create(&PostParams::default(), &object).await;
        made.unwrap_err().to_string()
    };
    let text = refused(&|data| data["spec"]["resource"]["maxInstances"] = json!(50)).await;
    assert!(text.contains("spec.resource.maxInstances"), "{text}");
    let text = refused(&|data| data["spec"]["drift"] = json!("Maybe")).await;
    assert!(
        text.contains("supported values: \"Enforce\", \"Observe\""),
        "{text}"
    );
    let text = refused(&|data| data["spec"]["resource"]["minInstances"] = json!(3)).await;
    assert!(
        text.contains("minInstances must be smaller than maxInstances"),
        "{text}"
    );
    let text = refused(&|data| {
        data["spec"].as_object_mut().unwrap().remove("project");
    });
    let text = text.await;
    assert!(text.contains("spec.project: Required value"), "{text}");

    let made = api
        .create(&PostParams::default(), &connector("a"))
        .await
        .unwrap();
    assert_eq!(made.data["spec"]["drift"], "Enforce");
    let elsewhere = json!({"spec": {"location": "europe-west1"}});
    let moved = api
        .patch("a", &PatchParams::default(), &Patch::Merge(&elsewhere))
        .await;
    assert!(
        moved
            .unwrap_err()
            .to_string()
            .contains("location is immutable")
    );

    let unknown = Patch::Merge(json!({"spec": {"resource": {"size": 1}}}));
    let pruned = api
        .patch("a", &PatchParams::default(), &unknown)
        .await
        .unwrap();
    assert_eq!(
        pruned.metadata.resource_version,
        made.metadata.resource_version
    );
    let strict = PatchParams {
        field_validation: Some(kube::api::ValidationDirective::Strict),
        ..PatchParams::default()
    };
    let refused = api
        .patch("a", &strict, &unknown)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("unknown field \"spec.resource.size\""),
        "{refused}"
    );
}
