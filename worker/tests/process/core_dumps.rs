use crate::support::Yard;

#[tokio::test]
async fn a_worker_leaves_no_core_dump() -> anyhow::Result<()> {
    let yard = Yard::open(&[]).await?;

    let worker = yard.start_worker().await?;

    assert_eq!(worker.core_limit()?, "0 0");
    Ok(())
}
