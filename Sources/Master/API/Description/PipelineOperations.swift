/// Descriptions of the routes of pipelines and plans.
extension APIOperation {
    static let listPipelines = APIOperation(
        id: "listPipelines", tag: "pipelines",
        summary: "Lists the pipelines of which there have been jobs, by name.",
        query: [
            Parameter("after", "`next` of the page before.", .text),
            Parameter(
                "limit", "The most pipelines of a page.",
                .integer(1...Int64(PipelineListing.most))),
        ],
        answers: [Answer(200, "A page.", .json("Pipelines"))])

    static let getPipeline = APIOperation(
        id: "getPipeline", tag: "pipelines",
        summary: "Tells of a pipeline: its last job, and how many there are in each state.",
        answers: [Answer(200, "The pipeline.", .json("Pipeline"))], problems: [404])

    static let pausePipeline = APIOperation(
        id: "pausePipeline", tag: "pipelines",
        summary: "Lets no job of a pipeline start: they wait. What runs is left alone.",
        answers: [Answer(200, "The pipeline.", .json("Pipeline"))], problems: [404])

    static let resumePipeline = APIOperation(
        id: "resumePipeline", tag: "pipelines", summary: "Lets jobs of a pipeline start again.",
        answers: [Answer(200, "The pipeline.", .json("Pipeline"))], problems: [404])

    static let compilePlan = APIOperation(
        id: "compilePlan", tag: "pipelines", summary: "Compiles a plan and runs nothing.",
        body: .json("PlanOrder"), needsBody: true,
        answers: [Answer(200, "The plan, and what the compiler says of it.", .json("PlanAnswer"))],
        problems: [413, 422, 502, 504])
}
