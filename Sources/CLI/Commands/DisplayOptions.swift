import ArgumentParser

/// When colours are used.
struct ColourOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Colours: auto (on a terminal), always or never.", valueName: "when"))
    var color: Terminal.ColourChoice = .auto
}

extension Terminal.ColourChoice: ExpressibleByArgument {}
