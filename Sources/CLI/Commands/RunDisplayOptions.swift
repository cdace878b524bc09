import ArgumentParser
import Executor
import Glibc

/// How a run is shown.
struct RunDisplayOptions: ParsableArguments {
    @Flag(help: "Print one JSON object for each event; see docs/run-events.md.")
    var json = false

    @Flag(name: .shortAndLong, help: "Print failures and the last line only.")
    var quiet = false

    @Flag(help: "Say of each step why it runs.")
    var explain = false

    @OptionGroup var colour: ColourOptions

    /// Shows a run as it was asked for, or as it fits where output goes.
    func observer(root: String) -> any RunObserver {
        let choice: WatchChoice = json ? .json : quiet ? .quiet : .auto
        return choice.watch(colour: colour.color, root: root, explains: explain)
    }

    /// Whether reasons are shown.
    var explains: Bool { (explain || json) && !quiet }

    /// Says that a job would do nothing.
    func sayNothingToDo(steps: Int, job: String) {
        if quiet { return }
        if json {
            let line =
                #"{"v":1,"event":"unchanged","at_ns":0,"steps":\#(steps),"job":"\#(job)"}"# + "\n"
            return Output.write(Array(line.utf8), to: STDOUT_FILENO)
        }
        var buffer = TextBuffer(colour: Terminal.of(STDOUT_FILENO, choice: colour.color).colour)
        buffer.put("Nothing to do", .bold)
        buffer.put(": \(steps) steps are as job \(job) left them.")
        buffer.newline()
        Output.out(buffer)
    }
}
