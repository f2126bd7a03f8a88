//! Methods by the dozen: what all kinds of resources have in every place is written once.

macro_rules! path {
    ($scope:literal, $($tail:literal),+) => {
        concat!("/compute/v1/projects/{project}/", $scope, "/", $($tail),+)
    };
}

/// The permission and the full name of a method.
macro_rules! called {
    ($method:expr, $service:literal, $verb:literal, $permission:literal) => {
        $method.called(
            concat!("compute.", $service, ".", $permission),
            concat!("compute.v1.", $service, ".", $verb),
        )
    };
}

macro_rules! change {
    ($verb:literal, $path:expr, $call:expr) => {
        Method::write($verb, $path, &OPERATION, $call).query(WRITE_QUERY)
    };
}

/// List, get and insert.
macro_rules! basics {
    ($scope:literal, $service:literal, $name:literal, $id:literal, $message:expr, $list:expr) => {
        [
            called!(
                Method::list(path!($scope, $name), &$list, listing::list).query(LIST_QUERY),
                $service,
                "list",
                "list"
            ),
            called!(
                Method::get(
                    path!($scope, $name, "/{", $id, "}"),
                    &$message,
                    resource::get
                ),
                $service,
                "get",
                "get"
            ),
            called!(
                change!("POST", path!($scope, $name), resource::insert)
                    .body(Body::Message(&$message, "resource"))
                    .creates(NewId::Body("name")),
                $service,
                "insert",
                "create"
            ),
        ]
    };
}

macro_rules! aggregated {
    ($service:literal, $list:expr) => {
        [called!(
            Method::list(path!("aggregated", $service), &$list, listing::aggregated)
                .query(AGGREGATED_QUERY),
            $service,
            "aggregatedList",
            "list"
        )]
    };
}

macro_rules! patch {
    ($scope:literal, $service:literal, $name:literal, $id:literal, $message:expr) => {
        [called!(
            change!(
                "PATCH",
                path!($scope, $name, "/{", $id, "}"),
                resource::patch
            )
            .body(Body::Merge(&$message, "resource")),
            $service,
            "patch",
            "update"
        )]
    };
}

macro_rules! update {
    ($scope:literal, $service:literal, $name:literal, $id:literal, $message:expr) => {
        [called!(
            change!(
                "PUT",
                path!($scope, $name, "/{", $id, "}"),
                resource::update
            )
            .body(Body::Message(&$message, "resource")),
            $service,
            "update",
            "update"
        )]
    };
}

macro_rules! delete {
    ($scope:literal, $service:literal, $name:literal, $id:literal) => {
        [called!(
            change!(
                "DELETE",
                path!($scope, $name, "/{", $id, "}"),
                resource::delete
            ),
            $service,
            "delete",
            "delete"
        )]
    };
}

macro_rules! get_health {
    ($scope:literal, $service:literal) => {
        [called!(
            Method::get(
                path!($scope, "backendServices/{backendService}/getHealth"),
                &BACKEND_SERVICE_GROUP_HEALTH,
                group_health::get
            )
            .posted()
            .body(Body::Message(&RESOURCE_GROUP_REFERENCE, "resource")),
            $service,
            "getHealth",
            "get"
        )]
    };
}

macro_rules! set_ssl_certificates {
    ($path:expr, $service:literal, $message:expr) => {
        [called!(
            change!("POST", $path, target_https_proxies::set_ssl_certificates)
                .body(Body::Message(&$message, "resource")),
            $service,
            "setSslCertificates",
            "setSslCertificates"
        )]
    };
}

macro_rules! operations {
    ($scope:literal, $service:literal) => {
        [
            called!(
                Method::list(
                    path!($scope, "operations"),
                    &OPERATION_LIST,
                    operations::list
                )
                .query(LIST_QUERY),
                $service,
                "list",
                "list"
            ),
            called!(
                Method::get(
                    path!($scope, "operations/{operation}"),
                    &OPERATION,
                    operations::get
                ),
                $service,
                "get",
                "get"
            ),
            // "waits for no more than the 2 minutes, and then returns the current state": on best effort, so it
            // may return at once, as here.
            called!(
                Method::get(
                    path!($scope, "operations/{operation}/wait"),
                    &OPERATION,
                    operations::get
                )
                .posted(),
                $service,
                "wait",
                "get"
            ),
        ]
    };
}
