/// What `danube init` found in one folder, as the steps that fit it.
struct Part {
    /// What it is, for people: `Node (pnpm)`.
    var title: String
    /// Where, from the root; empty for the root.
    var folder = ""
    var image: String
    /// Steps in program order.
    var blocks: [Block]

    /// A step, or several that may run at the same time.
    enum Block {
        case step(Call)
        case parallel([Call])
        /// Lines of Python as they are.
        case lines([String])
    }

    /// One `step.run(…)`.
    struct Call {
        var command: String
        var name: String
        /// Comments above it.
        var comment: [String] = []
        var inputs: [String] = []
        var outputs: [String] = []
        var image: String?
    }
}
