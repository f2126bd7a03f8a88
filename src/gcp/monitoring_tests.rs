//! Pages, numbers and parts of answers, against a scripted network.

use super::super::testing::{Script, client, ok};
use super::*;
use serde_json::json;

fn query() -> Query<'static> {
    Query {
        project: "p-1234",
        filter: "metric.type=\"m\"",
        aligner: "ALIGN_RATE",
        reducer: None,
        group_by: &[],
        after: "2026-11-23T10:00:00Z".parse().unwrap(),
        until: "2026-11-23T10:05:00Z".parse().unwrap(),
        most: 3,
    }
}

fn point(minute: u32, value: &Value) -> Value {
    json!({"interval": {"endTime": format!("2026-11-23T10:0{minute}:00Z")}, "value": value})
}

fn page(points: &[Value], next: &str) -> Value {
    json!({"unit": "By/s", "timeSeries": [{"points": points}], "nextPageToken": next})
}

async fn points(pages: &[Value], query: &Query<'_>) -> (Result<Points, Fault>, Vec<String>) {
    let script = Script::new(pages.iter().map(ok).collect());
    let monitoring = Monitoring::new(Arc::new(client(&script)));
    let outcome = monitoring.points(query).await;
    (outcome, script.lines())
}

#[tokio::test(start_paused = true)]
async fn points_of_all_pages_come_in_order_of_time() {
    let first = page(
        &[
            point(3, &json!({"int64Value": "7"})),
            point(1, &json!({"doubleValue": 0.5})),
        ],
        "t",
    );
    let second = page(&[point(2, &json!({"boolValue": true}))], "");
    let group_by = ["a".to_owned(), "b".to_owned()];
    let query = Query {
        reducer: Some("REDUCE_SUM"),
        group_by: &group_by,
        ..query()
    };
    let (found, lines) = points(&[first, second], &query).await;
    let found = found.unwrap();
    let values: Vec<f64> = found.points.iter().map(|point| point.value).collect();
    assert_eq!(values, [0.5, 1.0, 7.0]);
    assert_eq!((found.unit.as_str(), found.missing.len()), ("By/s", 0));
    let asked = "GET /v3/projects/p-1234/timeSeries?filter=metric.type%3D%22m%22\
                 &interval.startTime=2026-11-23T10%3A00%3A00Z&interval.endTime=2026-11-23T10%3A05%3A00Z\
                 &aggregation.alignmentPeriod=60s&aggregation.perSeriesAligner=ALIGN_RATE&pageSize=3\
                 &aggregation.crossSeriesReducer=REDUCE_SUM&aggregation.groupByFields=a\
                 &aggregation.groupByFields=b";
    assert_eq!(lines, [asked.to_owned(), format!("{asked}&pageToken=t")]);
}

#[tokio::test(start_paused = true)]
async fn a_part_is_said_to_be_one() {
    let part = json!({
        "unreachable": ["us-central1"],
        "executionErrors": [{"code": 14, "message": "a shard is down"}],
    });
    let (found, _) = points(&[part], &query()).await;
    assert_eq!(found.unwrap().missing, ["us-central1", "a shard is down"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_or_no_number_is_refused() {
    let number = json!({"doubleValue": 1.0});
    let many = |count| {
        page(
            &(0..count).map(|n| point(n, &number)).collect::<Vec<_>>(),
            "",
        )
    };
    let (three, _) = points(&[many(3)], &query()).await;
    assert_eq!(three.unwrap().points.len(), 3);
    let mut more = many(3);
    more["nextPageToken"] = "t".into();
    for reply in [many(4), more] {
        let (refused, lines) = points(&[reply], &query()).await;
        let fault = refused.unwrap_err();
        assert_eq!((fault.kind, lines.len()), (FaultKind::Invalid, 1));
        assert!(fault.message.contains("more than 3 points"), "{fault}");
    }
    for value in [
        json!({"distributionValue": {"count": "1"}}),
        json!({"stringValue": "x"}),
    ] {
        let (refused, _) = points(&[page(&[point(1, &value)], "")], &query()).await;
        assert_eq!(refused.unwrap_err().code, "NOT_A_NUMBER");
    }
    let again = page(&[], "t");
    let (endless, _) = points(&[again.clone(), again], &query()).await;
    assert_eq!(endless.unwrap_err().kind, FaultKind::Unclear);
}
