use sealane_activities::greeting::Greeting;
use temporalio_sdk::testing::ActivityEnvironment;

#[tokio::test]
async fn the_three_activities_build_on_one_another() {
    let env = ActivityEnvironment::builder().build();

    let greeting = env.run(Greeting::greet, "Ada".to_owned()).await.unwrap();
    let processed = env.run(Greeting::process, greeting).await.unwrap();
    let finished = env.run(Greeting::finish, processed).await.unwrap();

    assert_eq!(finished, "Final result: Processed: Hello, Ada!");
}
